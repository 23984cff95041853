//! Google Cloud Storage: a file of credentials, what `gcloud auth application-default login` left, or what the machine is
//! given. `STORAGE_EMULATOR_HOST` names an emulator, which needs no credentials.

use std::sync::Arc;

use object_store::gcp::{GcpCredential, GoogleCloudStorage, GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::{RetryConfig, StaticCredentialProvider};

use super::credentials::{Missing, bounded};
use super::http::Http;
use super::settings::StoreSettings;

/// What to do where there are no credentials.
pub(super) const HELP: &str = "run `gcloud auth application-default login`, or name a file of credentials by `GOOGLE_APPLICATION_CREDENTIALS`";

/// Where `gcloud` keeps the credentials for programs.
const IN_HOME: &str = ".config/gcloud/application_default_credentials.json";

/// The builder of a bucket's client.
pub(super) fn builder(
    bucket: &str,
    settings: &StoreSettings,
    http: &Http,
) -> Result<GoogleCloudStorageBuilder, Missing> {
    let mut builder = GoogleCloudStorageBuilder::new();
    for (name, value) in settings.with_prefix("GOOGLE_") {
        match name.parse() {
            Ok(
                GoogleConfigKey::Client(_)
                | GoogleConfigKey::Bucket
                | GoogleConfigKey::BaseUrl
                | GoogleConfigKey::ApplicationCredentials,
            )
            | Err(_) => {}
            Ok(key) => builder = builder.with_config(key, value),
        }
    }
    builder = builder.with_bucket_name(bucket).with_http_connector(http.clone());
    if let Some(host) = settings.first(&["STORAGE_EMULATOR_HOST"]) {
        let url = if host.contains("://") { host.to_owned() } else { format!("http://{host}") };
        let url =
            settings.endpoint(url.trim_end_matches('/'), "GOOGLE_ALLOW_HTTP").map_err(Missing::Setting)?;
        // It asks nobody, and the client always sends something.
        let anybody = StaticCredentialProvider::new(GcpCredential { bearer: "emulated".to_owned() });
        return Ok(builder.with_base_url(&url).with_credentials(Arc::new(anybody)));
    }
    if let Some(file) = settings.file("GOOGLE_APPLICATION_CREDENTIALS", IN_HOME)
        && (file.exists() || settings.first(&["GOOGLE_APPLICATION_CREDENTIALS"]).is_some())
    {
        builder = builder.with_application_credentials(file.to_string_lossy());
    }
    Ok(builder)
}

/// The client. Whoever gives credentials is asked first, and does not get long to answer.
pub(super) async fn connect(
    builder: GoogleCloudStorageBuilder,
    quick: RetryConfig,
    retry: RetryConfig,
) -> Result<GoogleCloudStorage, Missing> {
    let unusable = Missing::unusable;
    let asking = builder.clone().with_retry(quick).build().map_err(|error| unusable(&error))?;
    let credentials = Arc::clone(asking.credentials());
    bounded(credentials.get_credential()).await?;
    let builder = builder.with_credentials(credentials).with_retry(retry);
    builder.build().map_err(|error| unusable(&error))
}
