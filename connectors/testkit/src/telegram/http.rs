//! HTTP as far as a Bot API server and its clients speak it. By hand, because a test wants to hang, to cut and to
//! lose an answer at the very place it names.

use bytes::Bytes;
use serde_json::{Map, Value};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The path, decoded.
    pub path: String,
    /// The headers, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The parameters, from wherever they stood.
    pub fields: Map<String, Value>,
    /// The files.
    pub files: Vec<(String, String, Bytes)>,
}

/// Longest head of a request.
const HEAD: usize = 64 * 1024;

/// Reads the next request of a connection; none when the other side is done.
pub async fn read<R: AsyncRead + Unpin>(stream: &mut BufReader<R>) -> Option<Asked> {
    let (first, headers) = head(stream).await?;
    let mut words = first.split(' ');
    let (_method, target) = (words.next()?, words.next()?);
    let header = |name: &str| {
        headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    if header("expect").is_some() {
        return None;
    }
    let body = body(stream, header("content-length"), header("transfer-encoding")).await?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut asked = Asked {
        path: decoded(path, false),
        ..Asked::default()
    };
    form(query, &mut asked.fields);
    let kind = header("content-type").unwrap_or_default().to_owned();
    if kind.starts_with("application/json") {
        if let Ok(Value::Object(fields)) = serde_json::from_slice(&body) {
            asked.fields.extend(fields);
        }
    } else if kind.starts_with("multipart/form-data") {
        multipart(&kind, body, &mut asked).await?;
    } else {
        form(std::str::from_utf8(&body).ok()?, &mut asked.fields);
    }
    asked.headers = headers;
    Some(asked)
}

type Head = (String, Vec<(String, String)>);

async fn head<R: AsyncRead + Unpin>(stream: &mut BufReader<R>) -> Option<Head> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
        if head.len() > HEAD {
            return None;
        }
    }
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.lines();
    let first = lines.next()?.to_owned();
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Some((first, headers))
}

async fn body<R: AsyncRead + Unpin>(
    stream: &mut BufReader<R>,
    length: Option<&str>,
    encoding: Option<&str>,
) -> Option<Bytes> {
    let mut whole = Vec::new();
    if encoding.is_some_and(|encoding| encoding.contains("chunked")) {
        loop {
            let mut line = Vec::new();
            while !line.ends_with(b"\r\n") {
                line.push(stream.read_u8().await.ok()?);
            }
            let size = std::str::from_utf8(&line).ok()?.trim().to_owned();
            let size = usize::from_str_radix(size.split(';').next()?, 16).ok()?;
            let mut chunk = vec![0; size + 2];
            stream.read_exact(&mut chunk).await.ok()?;
            chunk.truncate(size);
            if size == 0 {
                return Some(Bytes::from(whole));
            }
            whole.extend(chunk);
        }
    }
    whole.resize(length.and_then(|length| length.parse().ok()).unwrap_or(0), 0);
    stream.read_exact(&mut whole).await.ok()?;
    Some(Bytes::from(whole))
}

async fn multipart(kind: &str, body: Bytes, asked: &mut Asked) -> Option<()> {
    let boundary = multer::parse_boundary(kind).ok()?;
    let stream = futures_util::stream::once(async move { Ok::<_, std::convert::Infallible>(body) });
    let mut parts = multer::Multipart::new(stream, boundary);
    while let Some(part) = parts.next_field().await.ok()? {
        let name = part.name()?.to_owned();
        match part.file_name().map(str::to_owned) {
            Some(file_name) => asked.files.push((name, file_name, part.bytes().await.ok()?)),
            None => {
                let value = part.text().await.ok()?;
                asked.fields.insert(name, guess(value));
            }
        }
    }
    Some(())
}

/// Forms have words alone: what looks like JSON is meant as such.
fn guess(value: String) -> Value {
    if value.starts_with(['{', '[']) || value == "true" || value == "false" {
        serde_json::from_str(&value).unwrap_or(Value::String(value))
    } else {
        Value::String(value)
    }
}

fn form(text: &str, fields: &mut Map<String, Value>) {
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        fields.insert(decoded(name, true), guess(decoded(value, true)));
    }
}

fn decoded(text: &str, plus_is_space: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' if plus_is_space => bytes.push(b' '),
            b'%' => {
                let digits = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
                let digits = String::from_utf8_lossy(&digits).into_owned();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap_or(b'?'));
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Writes an answer; the connection stays open.
pub async fn answer(
    stream: &mut (impl AsyncWriteExt + Unpin),
    status: u16,
    kind: &str,
    body: &[u8],
) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} {}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        if status == 200 { "OK" } else { "No" },
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    stream.flush().await
}

/// Brings an update, as Telegram does: one request, its answer's status and body; none when there was no answer.
pub async fn bring(url: &str, secret: Option<&str>, update: &Value) -> Option<(u16, Value)> {
    let rest = url.strip_prefix("http://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let body = update.to_string();
    let secret = secret
        .map(|secret| format!("X-Telegram-Bot-Api-Secret-Token: {secret}\r\n"))
        .unwrap_or_default();
    let head = format!(
        "POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{secret}Connection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = BufReader::new(TcpStream::connect(host).await.ok()?);
    stream.get_mut().write_all(head.as_bytes()).await.ok()?;
    stream.get_mut().write_all(body.as_bytes()).await.ok()?;
    let (first, headers) = crate::telegram::http::head(&mut stream).await?;
    let status = first.split(' ').nth(1)?.parse().ok()?;
    let header = |name: &str| {
        headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let body =
        crate::telegram::http::body(&mut stream, header("content-length"), header("transfer-encoding"))
            .await
            .unwrap_or_default();
    Some((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
}
