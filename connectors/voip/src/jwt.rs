//! Tokens that are signed with a company's own RSA key, for asking a provider (RFC 7519, RS256).

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::Value;

/// A JWT of that header and those claims. `pem` is the private key, of either form.
pub fn signed(header: &Value, claims: &Value, pem: &str) -> Result<String, String> {
    let text = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let signature = rs256(pem, &text)?;
    Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn rs256(pem: &str, message: &str) -> Result<Vec<u8>, String> {
    let wrong = || "the private key is no RSA key in PEM".to_owned();
    let coded: String = pem
        .replace("\\n", "\n")
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let der = STANDARD.decode(coded).map_err(|_| wrong())?;
    let key = RsaKeyPair::from_pkcs8(&der)
        .or_else(|_| RsaKeyPair::from_der(&der))
        .map_err(|_| wrong())?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        message.as_bytes(),
        &mut signature,
    )
    .map_err(|_| wrong())?;
    Ok(signature)
}
