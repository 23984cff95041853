//! Azure Blob Storage: an account's key, a shared access signature, a service principal, a workload's or a machine's
//! identity, or whoever is logged in with `az`.

use std::sync::Arc;

use object_store::RetryConfig;
use object_store::azure::{AzureConfigKey, MicrosoftAzure, MicrosoftAzureBuilder};

use super::credentials::{Missing, bounded};
use super::http::Http;
use super::settings::StoreSettings;
use super::url::Container;

/// What to do where there are no credentials.
pub(super) const HELP: &str = "set `AZURE_STORAGE_ACCOUNT_NAME` and `AZURE_STORAGE_ACCOUNT_KEY`, or `AZURE_STORAGE_CONNECTION_STRING`, or run `az login`";

/// What a connection string may say, and the name of the setting.
const CONNECTION: [(&str, AzureConfigKey); 4] = [
    ("AccountName", AzureConfigKey::AccountName),
    ("AccountKey", AzureConfigKey::AccessKey),
    ("SharedAccessSignature", AzureConfigKey::SasKey),
    ("BlobEndpoint", AzureConfigKey::Endpoint),
];

/// The builder of a container's client.
pub(super) fn builder(
    container: &Container,
    settings: &StoreSettings,
    http: &Http,
) -> Result<MicrosoftAzureBuilder, Missing> {
    let mut builder = MicrosoftAzureBuilder::new();
    let mut told = Vec::new();
    for (name, value) in settings.with_prefix("AZURE_") {
        // The names of `az` beside those of the client.
        let name = match name.as_str() {
            "azure_storage_account" => "azure_storage_account_name",
            "azure_storage_key" => "azure_storage_account_key",
            "azure_storage_sas" => "azure_storage_sas_token",
            other => other,
        };
        match name.parse() {
            Ok(AzureConfigKey::Client(_) | AzureConfigKey::ContainerName) | Err(_) => {}
            Ok(key) => told.push((key, value.to_owned())),
        }
    }
    let msi = settings.first(&["IDENTITY_ENDPOINT", "MSI_ENDPOINT"]);
    told.extend(msi.map(|url| (AzureConfigKey::MsiEndpoint, url.to_owned())));
    if let Some(text) = settings.first(&["AZURE_STORAGE_CONNECTION_STRING"]) {
        told.extend(connection(text));
    }
    let mut account = None;
    for (key, value) in told {
        let value = match key {
            // Whoever gives credentials is sent secrets too.
            AzureConfigKey::Endpoint | AzureConfigKey::AuthorityHost => {
                builder = builder.with_allow_http(true);
                settings.endpoint(&value, "AZURE_ALLOW_HTTP").map_err(Missing::Setting)?
            }
            _ => value,
        };
        if key == AzureConfigKey::AccountName {
            account = Some(value.clone());
        }
        builder = builder.with_config(key, value);
    }
    let is_emulator = builder.get_config_value(&AzureConfigKey::UseEmulator).is_some_and(|it| it == "true");
    match (&container.account, account) {
        (Some(account), _) => builder = builder.with_account(account),
        (None, Some(_)) => {}
        (None, None) if is_emulator => {}
        (None, None) => {
            return Err(Missing::Setting(
                "no storage account is named; set `AZURE_STORAGE_ACCOUNT_NAME`, or write \
                 `abfss://container@account.dfs.core.windows.net/key`"
                    .to_owned(),
            ));
        }
    }
    Ok(builder.with_container_name(&container.name).with_http_connector(http.clone()))
}

/// The settings of a connection string.
fn connection(text: &str) -> Vec<(AzureConfigKey, String)> {
    let parts: Vec<(&str, &str)> = text.split(';').filter_map(|part| part.split_once('=')).collect();
    let get = |name: &str| parts.iter().find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim());
    if get("UseDevelopmentStorage") == Some("true") {
        return vec![(AzureConfigKey::UseEmulator, "true".to_owned())];
    }
    let mut found: Vec<_> =
        CONNECTION.iter().filter_map(|(name, key)| Some((*key, get(name)?.to_owned()))).collect();
    if let (None, Some(suffix), Some(account)) =
        (get("BlobEndpoint"), get("EndpointSuffix"), get("AccountName"))
    {
        let protocol = get("DefaultEndpointsProtocol").unwrap_or("https");
        found.push((AzureConfigKey::Endpoint, format!("{protocol}://{account}.blob.{suffix}")));
    }
    found
}

/// The client. Whoever gives credentials is asked first, and does not get long to answer: the machine where nothing is
/// set, then `az`.
pub(super) async fn connect(
    builder: MicrosoftAzureBuilder,
    settings: &StoreSettings,
    quick: RetryConfig,
    retry: RetryConfig,
) -> Result<MicrosoftAzure, Missing> {
    let unusable = Missing::unusable;
    let asking = builder.clone().with_retry(quick).build().map_err(|error| unusable(&error))?;
    let mut credentials = Arc::clone(asking.credentials());
    if !settings.is_on("AZURE_SKIP_SIGNATURE")
        && let Err(missing) = bounded(credentials.get_credential()).await
    {
        if is_told(&builder) {
            return Err(missing);
        }
        let cli = builder.clone().with_use_azure_cli(true).build().map_err(|error| unusable(&error))?;
        credentials = Arc::clone(cli.credentials());
        bounded(credentials.get_credential()).await.map_err(|_| Missing::Nothing)?;
    }
    let is_emulator = builder.get_config_value(&AzureConfigKey::UseEmulator).is_some_and(|it| it == "true");
    let builder = builder.with_retry(retry);
    // The emulator has credentials of its own.
    let builder = if is_emulator { builder } else { builder.with_credentials(credentials) };
    builder.build().map_err(|error| unusable(&error))
}

/// Whether the settings say who is to be asked.
fn is_told(builder: &MicrosoftAzureBuilder) -> bool {
    let ways = [
        AzureConfigKey::AccessKey,
        AzureConfigKey::SasKey,
        AzureConfigKey::Token,
        AzureConfigKey::ClientSecret,
        AzureConfigKey::FederatedTokenFile,
        AzureConfigKey::MsiEndpoint,
        AzureConfigKey::CredentialType,
    ];
    ways.iter().any(|key| builder.get_config_value(key).is_some())
}

#[cfg(test)]
mod tests {
    use super::super::url::Service;
    use super::*;

    fn built(account: Option<&str>, variables: &[(&str, &str)]) -> Result<MicrosoftAzureBuilder, Missing> {
        let account = account.map(str::to_owned);
        let container = Container { service: Service::Azure, name: "c".to_owned(), account };
        builder(&container, &StoreSettings::of(variables), &Http::new().unwrap())
    }

    #[test]
    fn a_connection_string_is_taken_apart() {
        let text = "DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=a2V5==;EndpointSuffix=core.windows.net";
        let builder = built(None, &[("AZURE_STORAGE_CONNECTION_STRING", text)]).unwrap();
        let get = |key| builder.get_config_value(&key).unwrap();
        assert_eq!(get(AzureConfigKey::AccountName), "acc");
        assert_eq!(get(AzureConfigKey::AccessKey), "a2V5==");
        assert_eq!(get(AzureConfigKey::Endpoint), "https://acc.blob.core.windows.net");
        let emulated = built(None, &[("AZURE_STORAGE_CONNECTION_STRING", "UseDevelopmentStorage=true")]);
        assert_eq!(emulated.unwrap().get_config_value(&AzureConfigKey::UseEmulator).unwrap(), "true");
    }

    #[test]
    fn an_account_is_named_by_the_url_or_the_environment() {
        assert!(
            matches!(built(None, &[]), Err(Missing::Setting(told)) if told.contains("AZURE_STORAGE_ACCOUNT_NAME"))
        );
        for (account, variables, expected) in [
            (Some("url"), &[("AZURE_STORAGE_ACCOUNT_NAME", "env")][..], "url"),
            (None, &[("AZURE_STORAGE_ACCOUNT", "env")], "env"),
        ] {
            let builder = built(account, variables).unwrap();
            assert_eq!(builder.get_config_value(&AzureConfigKey::AccountName).unwrap(), expected);
        }
    }
}
