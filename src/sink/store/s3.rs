//! Stores that speak S3: Amazon's own and all others.
//!
//! Credentials are looked for in the order of AWS's own tools: keys in the environment, a web identity, a profile's keys,
//! what a container is given, what the machine is given.

use std::sync::Arc;

use object_store::RetryConfig;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};

use super::credentials::{Missing, bounded};
use super::http::Http;
use super::profile::Profile;
use super::settings::StoreSettings;

/// What to do where there are no credentials.
pub(super) const HELP: &str = "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or name a profile of `~/.aws/credentials` by `AWS_PROFILE`";

/// What decides about credentials and is not simply handed on.
const OWN: [&str; 6] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_endpoint_url",
    "aws_endpoint_url_s3",
    "aws_endpoint",
];

/// The builder of a bucket's client.
pub(super) fn builder(
    bucket: &str,
    settings: &StoreSettings,
    http: &Http,
) -> Result<AmazonS3Builder, Missing> {
    let profile = Profile::load(settings).map_err(Missing::Wrong)?;
    let mut builder = AmazonS3Builder::new();
    for (name, value) in settings.with_prefix("AWS_") {
        let is_ours = OWN.contains(&name.as_str());
        match name.parse() {
            Ok(AmazonS3ConfigKey::Client(_) | AmazonS3ConfigKey::Bucket) | Err(_) => {}
            Ok(_) if is_ours => {}
            Ok(key) => builder = builder.with_config(key, value),
        }
    }
    builder = builder.with_bucket_name(bucket).with_http_connector(http.clone());

    let region = settings.first(&["AWS_REGION", "AWS_DEFAULT_REGION"]).or_else(|| profile.get("region"));
    builder = builder.with_region(region.unwrap_or("us-east-1"));
    let endpoint = settings
        .first(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"])
        .or_else(|| profile.get("endpoint_url"));
    builder = match endpoint {
        Some(url) => {
            let url = settings.endpoint(url, "AWS_ALLOW_HTTP").map_err(Missing::Setting)?;
            builder.with_endpoint(url).with_allow_http(true)
        }
        // A dot in its name is not covered by the certificate.
        None => builder.with_virtual_hosted_style_request(!bucket.contains('.')),
    };
    // Whoever gives credentials is sent secrets too.
    if let Some(url) = settings.first(&["AWS_ENDPOINT_URL_STS"]) {
        settings.endpoint(url, "AWS_ALLOW_HTTP").map_err(Missing::Setting)?;
    }
    if settings.is_on("AWS_SKIP_SIGNATURE") {
        return Ok(builder);
    }
    with_keys(builder, settings, &profile)
}

fn with_keys(
    builder: AmazonS3Builder,
    settings: &StoreSettings,
    profile: &Profile,
) -> Result<AmazonS3Builder, Missing> {
    let id = settings.first(&["AWS_ACCESS_KEY_ID"]);
    let secret = settings.first(&["AWS_SECRET_ACCESS_KEY"]);
    let with = |builder: AmazonS3Builder, id: &str, secret: &str, token: Option<&str>| {
        let builder = builder.with_access_key_id(id).with_secret_access_key(secret);
        match token {
            Some(token) => builder.with_token(token),
            None => builder,
        }
    };
    let has_any = |names: &[&str]| settings.first(names).is_some();
    match (id, secret) {
        (Some(id), Some(secret)) => {
            return Ok(with(builder, id, secret, settings.first(&["AWS_SESSION_TOKEN"])));
        }
        (Some(_), None) => return Err(Missing::half("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")),
        (None, Some(_)) => return Err(Missing::half("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")),
        (None, None) => {}
    }
    if has_any(&["AWS_WEB_IDENTITY_TOKEN_FILE"]) && has_any(&["AWS_ROLE_ARN"]) {
        return Ok(builder);
    }
    if let Some((id, secret)) = profile.keys().map_err(Missing::Wrong)? {
        return Ok(with(builder, id, secret, profile.get("aws_session_token")));
    }
    let in_container =
        has_any(&["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"]);
    if !in_container && settings.is_on("AWS_EC2_METADATA_DISABLED") {
        return Err(Missing::Nothing);
    }
    Ok(builder)
}

/// The client. Whoever gives credentials is asked first, and does not get long to answer.
pub(super) async fn connect(
    builder: AmazonS3Builder,
    settings: &StoreSettings,
    quick: RetryConfig,
    retry: RetryConfig,
) -> Result<AmazonS3, Missing> {
    let unusable = Missing::unusable;
    let asking = builder.clone().with_retry(quick).build().map_err(|error| unusable(&error))?;
    let credentials = Arc::clone(asking.credentials());
    if !settings.is_on("AWS_SKIP_SIGNATURE") {
        bounded(credentials.get_credential()).await?;
    }
    let builder = builder.with_credentials(credentials).with_retry(retry);
    builder.build().map_err(|error| unusable(&error))
}
