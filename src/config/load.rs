//! Reading the settings and saying clearly what is wrong with them.

use std::path::Path;

use figment::{
    Figment,
    providers::{Format, Toml},
    value::Value,
};

use super::{Config, DEFAULTS};
use crate::operator::store::REASON_CHARS;

/// How every variable of ours begins.
const ENV_PREFIX: &str = "SWITCHBOARD__";

/// What is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file given cannot be read.
    #[error("the settings file {path} cannot be read: {cause}")]
    File {
        /// Which.
        path: String,
        /// Why.
        cause: String,
    },
    /// There is no such setting.
    #[error("unknown setting `{key}` in {place}{}", suggestion.as_ref().map(|known| format!("; did you mean `{known}`?")).unwrap_or_default())]
    Unknown {
        /// Its dotted name.
        key: String,
        /// The file or the variable.
        place: String,
        /// The nearest name there is.
        suggestion: Option<String>,
    },
    /// The value does not fit.
    #[error("setting `{key}` in {place}: {message}")]
    Invalid {
        /// Its dotted name.
        key: String,
        /// Where it stands.
        place: String,
        /// Why.
        message: String,
    },
}

/// Loads the settings from the defaults, `file`, and the variables given (`std::env::vars()`).
pub fn load(file: Option<&Path>, env: impl IntoIterator<Item = (String, String)>) -> Result<Config, Error> {
    let defaults = Figment::from(Toml::string(DEFAULTS));
    let mut figment = defaults.clone();
    if let Some(path) = file {
        let place = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| Error::File {
            path: place.clone(),
            cause: error.to_string(),
        })?;
        let own = Figment::from(Toml::string(&text));
        match own.find_value("") {
            Ok(tree) => refuse_unknown(&defaults, &tree, "", &format!("the file {place}"))?,
            // A file that says nothing has no tree either.
            Err(_) if text.trim().is_empty() => {}
            Err(error) => {
                return Err(Error::File {
                    path: place,
                    cause: error.kind.to_string(),
                });
            }
        }
        figment = figment.merge(Toml::string(&text));
    }
    let mut variables: Vec<(String, String)> = env
        .into_iter()
        .filter(|(name, _)| name.starts_with(ENV_PREFIX))
        .collect();
    variables.sort();
    for (name, raw) in &variables {
        let key = name
            .trim_start_matches(ENV_PREFIX)
            .to_ascii_lowercase()
            .replace("__", ".");
        let place = format!("the environment ({name})");
        let Some(default) = leaf(&defaults, &key) else {
            let suggestion = nearest(&defaults, &key);
            return Err(Error::Unknown {
                key,
                place,
                suggestion,
            });
        };
        let value = read_variable(&default, raw).map_err(|message| Error::Invalid {
            key: key.clone(),
            place,
            message,
        })?;
        figment = figment.merge((key, value));
    }
    let config: Config = figment.extract().map_err(|error| {
        let key = error.path.join(".");
        let name = format!("{ENV_PREFIX}{}", key.to_ascii_uppercase().replace('.', "__"));
        let in_env = variables.iter().any(|(variable, _)| *variable == name);
        let place = match (in_env, file) {
            (true, _) => format!("the environment ({name})"),
            (false, Some(path)) => format!("the file {}", path.display()),
            (false, None) => "the defaults".to_owned(),
        };
        Error::Invalid {
            key,
            place,
            message: error.kind.to_string(),
        }
    })?;
    check(config)
}

/// The rules that types do not hold.
fn check(mut config: Config) -> Result<Config, Error> {
    let invalid = |key: &str, message: &str| Error::Invalid {
        key: key.to_owned(),
        place: "the settings".to_owned(),
        message: message.to_owned(),
    };
    let server = &mut config.server;
    let url = server.public_url.trim_end_matches('/').to_owned();
    // An address that means "all of them" is none to open in a browser.
    let own = if server.listen.ip().is_unspecified() {
        format!("http://localhost:{}", server.listen.port())
    } else {
        format!("http://{}", server.listen)
    };
    server.public_url = if url.is_empty() { own } else { url };
    let parsed = url::Url::parse(&server.public_url).ok();
    if !parsed.is_some_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none()
    }) {
        return Err(invalid(
            "server.public_url",
            "must be an address like https://chat.example.org",
        ));
    }
    for (key, value) in [
        ("server.request_timeout_secs", server.request_timeout_secs),
        ("server.shutdown_timeout_secs", server.shutdown_timeout_secs),
    ] {
        if value == 0 {
            return Err(invalid(key, "must be 1 or more"));
        }
    }
    let database = config.database.url.reveal();
    if !["sqlite:", "postgres://", "postgresql://"]
        .iter()
        .any(|scheme| database.starts_with(scheme))
    {
        return Err(invalid(
            "database.url",
            "must begin with sqlite:// or postgres://",
        ));
    }
    if !config.storage.url.starts_with("file://") {
        return Err(invalid("storage.url", "must be file://folder"));
    }
    if !(1..=1024).contains(&config.limits.upload_mb) {
        return Err(invalid("limits.upload_mb", "must be 1 to 1024"));
    }
    if config.limits.chat_strangers_per_minute == 0 {
        return Err(invalid("limits.chat_strangers_per_minute", "must be at least 1"));
    }
    if !(1..=10_240).contains(&config.limits.recording_mb) {
        return Err(invalid("limits.recording_mb", "must be 1 to 10240"));
    }
    let key = config.security.master_key.reveal();
    if !key.is_empty() && key.chars().count() < crate::secret::MIN_KEY_CHARS {
        return Err(invalid("security.master_key", "must have 16 characters or more"));
    }
    if let Some((field, problem)) = config.routing.counting().problems().into_iter().next() {
        return Err(invalid(&format!("routing.{field}"), &problem));
    }
    let operators = &config.operators;
    if !(30..=86_400).contains(&operators.away_after_secs) {
        return Err(invalid("operators.away_after_secs", "must be 30 to 86400"));
    }
    let fits = |reason: &String| !reason.trim().is_empty() && reason.chars().count() <= REASON_CHARS;
    if operators.pause_reasons.len() > 20 || !operators.pause_reasons.iter().all(fits) {
        return Err(invalid(
            "operators.pause_reasons",
            &format!("must be at most 20 words of 1 to {REASON_CHARS} characters"),
        ));
    }
    if let Err(error) = tracing_subscriber::EnvFilter::try_new(&config.log.level) {
        return Err(invalid("log.level", &error.to_string()));
    }
    Ok(config)
}

/// A variable is text; what it is read as depends on what the default is.
fn read_variable(default: &Value, raw: &str) -> Result<Value, String> {
    if matches!(default, Value::String(..)) {
        return Ok(Value::from(raw));
    }
    let text = format!("value = {}", raw.trim());
    let read = Figment::from(Toml::string(&text)).find_value("value");
    let value = read.map_err(|_| match default {
        Value::Array(..) => r#"must be a list as in TOML, like ["10.0.0.0/8"]"#.to_owned(),
        Value::Bool(..) => "must be true or false".to_owned(),
        _ => "must be a number".to_owned(),
    })?;
    Ok(value)
}

fn refuse_unknown(defaults: &Figment, tree: &Value, path: &str, place: &str) -> Result<(), Error> {
    let Some(dict) = tree.as_dict() else { return Ok(()) };
    for (name, value) in dict {
        let key = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        if defaults.find_value(&key).is_err() {
            let suggestion = nearest(defaults, &key);
            return Err(Error::Unknown {
                key,
                place: place.to_owned(),
                suggestion,
            });
        }
        refuse_unknown(defaults, value, &key, place)?;
    }
    Ok(())
}

/// The default of a key, when it is a setting and not a section.
fn leaf(defaults: &Figment, key: &str) -> Option<Value> {
    defaults
        .find_value(key)
        .ok()
        .filter(|value| value.as_dict().is_none())
}

fn nearest(defaults: &Figment, key: &str) -> Option<String> {
    fn collect(value: &Value, path: &str, all: &mut Vec<String>) {
        match value.as_dict() {
            Some(dict) => {
                for (name, value) in dict {
                    let key = if path.is_empty() {
                        name.clone()
                    } else {
                        format!("{path}.{name}")
                    };
                    collect(value, &key, all);
                }
            }
            None => all.push(path.to_owned()),
        }
    }
    let mut all = Vec::new();
    collect(&defaults.find_value("").ok()?, "", &mut all);
    let scored = all
        .into_iter()
        .map(|known| (strsim::jaro_winkler(&known, key), known));
    scored
        .filter(|(score, _)| *score > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::{Error, load};

    fn with(variables: &[(&str, &str)]) -> Result<super::Config, Error> {
        load(
            None,
            variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    #[test]
    fn the_defaults_alone_are_complete() {
        let Ok(config) = with(&[]) else {
            panic!("{:?}", with(&[]))
        };
        assert_eq!(config.server.public_url, "http://127.0.0.1:8080");
        assert_eq!(config.limits.upload_bytes(), 25 << 20);
        assert!((config.routing.weights.of("email") - 0.5).abs() < f64::EPSILON);
    }

    #[test]
    fn the_environment_wins_and_lists_are_written_as_in_toml() {
        let config = with(&[
            ("SWITCHBOARD__SERVER__LISTEN", "0.0.0.0:9000"),
            (
                "SWITCHBOARD__SECURITY__ALLOWED_PRIVATE_NETWORKS",
                r#"["10.0.0.0/8", "fd00::/8"]"#,
            ),
            ("SWITCHBOARD__SECURITY__MASTER_KEY", "1234567890123456"),
            ("SWITCHBOARD__LIMITS__ENABLED", "false"),
            ("SWITCHBOARD__ROUTING__WEIGHTS__EMAIL", "1"),
            ("SWITCHBOARD__SERVER__PUBLIC_URL", "https://chat.example.org/"),
            ("PATH", "/bin"),
        ]);
        let Ok(config) = config else { panic!("{config:?}") };
        assert_eq!(config.server.listen.port(), 9000);
        assert_eq!(config.security.allowed_private_networks.len(), 2);
        assert_eq!(config.security.master_key.reveal(), "1234567890123456");
        assert!(!config.limits.enabled);
        assert!((config.routing.weights.email - 1.0).abs() < f64::EPSILON);
        assert_eq!(config.server.public_url, "https://chat.example.org");
    }

    #[test]
    fn an_unknown_key_is_named_with_the_one_that_was_meant() {
        let error = with(&[("SWITCHBOARD__SERVER__LITSEN", "x")])
            .err()
            .map(|error| error.to_string());
        let error = error.unwrap_or_default();
        assert!(
            error.contains("`server.litsen`") && error.contains("`server.listen`"),
            "{error}"
        );
        assert!(with(&[("SWITCHBOARD__SERVER", "x")]).is_err());
        assert!(with(&[("SWITCHBOARD__NOSUCH__KEY", "x")]).is_err());
    }

    #[test]
    fn a_file_is_held_to_the_same() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("own.toml");
        std::fs::write(
            &path,
            "[server]\nlisten = \"127.0.0.1:1\"\n[limits]\nuplaod_mb = 3\n",
        )?;
        let error = load(Some(&path), [])
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(
            error.contains("`limits.uplaod_mb`") && error.contains("own.toml"),
            "{error}"
        );
        std::fs::write(&path, "[limits]\nupload_mb = \"many\"\n")?;
        let error = load(Some(&path), [])
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(error.contains("`limits.upload_mb`"), "{error}");
        std::fs::write(&path, "this is no toml")?;
        assert!(matches!(load(Some(&path), []), Err(Error::File { .. })));
        std::fs::write(&path, "")?;
        assert!(load(Some(&path), []).is_ok());
        assert!(matches!(
            load(Some(&folder.path().join("none.toml")), []),
            Err(Error::File { .. })
        ));
        Ok(())
    }

    #[test]
    fn the_example_is_one_that_works() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config/examples/server.toml");
        let config = load(Some(&path), []);
        assert!(config.as_ref().is_ok_and(super::Config::is_https), "{config:?}");
    }

    #[test]
    fn a_value_that_does_not_fit_is_an_error_that_names_the_key() {
        for (name, value) in [
            ("SWITCHBOARD__SERVER__LISTEN", "nowhere"),
            ("SWITCHBOARD__LIMITS__UPLOAD_MB", "0"),
            ("SWITCHBOARD__LIMITS__ENABLED", "maybe"),
            ("SWITCHBOARD__BUS__URL", "nats://127.0.0.1:4222"),
            ("SWITCHBOARD__SECURITY__MASTER_KEY", "short"),
            ("SWITCHBOARD__DATABASE__URL", "mysql://x"),
            ("SWITCHBOARD__LOG__FORMAT", "yaml"),
            ("SWITCHBOARD__OPERATORS__AWAY_AFTER_SECS", "5"),
            ("SWITCHBOARD__OPERATORS__PAUSE_REASONS", r#"["lunch", ""]"#),
            ("SWITCHBOARD__SECURITY__ALLOWED_PRIVATE_NETWORKS", "10.0.0.0/8"),
        ] {
            let error = with(&[(name, value)])
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default();
            let key = name
                .trim_start_matches("SWITCHBOARD__")
                .to_lowercase()
                .replace("__", ".");
            assert!(error.contains(&key), "{name}: {error}");
        }
    }
}
