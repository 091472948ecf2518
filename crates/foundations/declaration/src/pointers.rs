//! Every pointer of the declaration, made from the ids people use: no other file spells one.
//!
//! Decides how the members of the declaration are named in a [`Setting`] and what lies below what. Never decides whether
//! anything is declared there.
//!
//! A pointer to something that has members is a type of its own and dereferences to its [`Setting`]; a pointer to one
//! value is a `Setting`.

use std::fmt;
use std::ops::Deref;

use mocktenant_verdict::Setting;

/// The members of the declaration that are collections of parts.
pub const TENANTS: &str = "tenants";
/// Another one.
pub const FEDERATION_SERVICES: &str = "federation_services";
/// Another one.
pub const ENVIRONMENTS: &str = "environments";
/// Another one.
pub const ORGANIZATIONS: &str = "organizations";
/// The member that is one part.
pub const CALLER: &str = "caller";

/// The Entra tenant of this id.
pub fn tenant(id: &str) -> Tenant {
    Tenant(Setting::of([TENANTS, id]))
}

/// The federation service of this name.
pub fn federation_service(id: &str) -> FederationService {
    FederationService(Setting::of([FEDERATION_SERVICES, id]))
}

/// The AOS environment of this name.
pub fn environment(id: &str) -> Environment {
    Environment(Setting::of([ENVIRONMENTS, id]))
}

/// The Dataverse organisation of this key.
pub fn organization(key: &str) -> Organization {
    Organization(Setting::of([ORGANIZATIONS, key]))
}

/// The client a scenario drives.
pub const fn caller() -> Caller {
    Caller(Setting::fixed("/caller"))
}

/// The place after the last element of a list: what `add` appends to.
pub fn end_of(list: &Setting) -> Setting {
    list.join("-")
}

/// A kind of config file an environment can have, one member each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// `web_config`.
    WebConfig,
    /// `wif_config`.
    WifConfig,
    /// `axsf`.
    Axsf,
}

impl File {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::WebConfig, Self::WifConfig, Self::Axsf];

    /// The member of an environment it is declared as.
    pub const fn member(self) -> &'static str {
        match self {
            Self::WebConfig => "web_config",
            Self::WifConfig => "wif_config",
            Self::Axsf => "axsf",
        }
    }

    /// The kind declared as this member.
    pub fn of_member(member: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|file| file.member() == member)
    }

    /// The name such a file usually has.
    pub const fn usual_name(self) -> &'static str {
        match self {
            Self::WebConfig => "web.config",
            Self::WifConfig => "wif.config",
            Self::Axsf => "AXSF.Package.1.0.xml",
        }
    }
}

trait Place {
    fn at(setting: Setting) -> Self;
}

impl Place for Setting {
    fn at(setting: Setting) -> Self {
        setting
    }
}

fn below(setting: &Setting, segments: &[&str]) -> Setting {
    segments.iter().fold(setting.clone(), |setting, segment| setting.join(segment))
}

/// The table below: a type per thing that has members, a function per member.
macro_rules! pointers {
    ($($(#[$doc:meta])* $name:ident {
        $($function:ident($($argument:ident),*) -> $to:ident: $($segment:expr),+;)*
    })+) => {
        $($(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Setting);

        impl $name {
            /// The pointer itself.
            pub fn setting(&self) -> Setting {
                self.0.clone()
            }

            $(#[doc = concat!("Below it: ", $("`", stringify!($segment), "` "),+)]
            pub fn $function(&self $(, $argument: &str)*) -> $to {
                $to::at(below(&self.0, &[$($segment),+]))
            })*
        }

        impl Place for $name {
            fn at(setting: Setting) -> Self {
                Self(setting)
            }
        }

        impl Deref for $name {
            type Target = Setting;

            fn deref(&self) -> &Setting {
                &self.0
            }
        }

        impl From<$name> for Setting {
            fn from(pointer: $name) -> Setting {
                pointer.0
            }
        }

        impl From<&$name> for Setting {
            fn from(pointer: &$name) -> Setting {
                pointer.setting()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        })+
    };
}

pointers! {
    /// `/tenants/<id>`.
    Tenant {
        name() -> Setting: "name";
        domains() -> Setting: "domains";
        domain(domain) -> Setting: "domains", domain;
        signing_keys() -> Setting: "signing_keys";
        signing_key(text) -> Setting: "signing_keys", text;
        clock() -> Setting: "clock";
        application(client_id) -> Application: "applications", client_id;
        user(name) -> User: "users", name;
        managed_identities() -> Setting: "managed_identities";
        managed_identity(client_id) -> ManagedIdentity: "managed_identities", client_id;
        identity_header() -> Setting: "identity_header";
    }

    /// `/tenants/<id>/managed_identities/<client id>`.
    ManagedIdentity {
        assigned() -> Setting: "assigned";
        resource_id() -> Setting: "resource_id";
    }

    /// `/tenants/<id>/applications/<client id>`.
    Application {
        object_id() -> Setting: "object_id";
        enabled() -> Setting: "enabled";
        assignment_required() -> Setting: "assignment_required";
        public_client() -> Setting: "public_client";
        requested_access_token_version() -> Setting: "requested_access_token_version";
        identifier_uris() -> Setting: "identifier_uris";
        identifier_uri(uri) -> Setting: "identifier_uris", uri;
        app_roles() -> Setting: "app_roles";
        redirect_uris() -> Setting: "redirect_uris";
        secrets() -> Setting: "secrets";
        secret(name) -> Secret: "secrets", name;
        certificates() -> Setting: "certificates";
        certificate(thumbprint) -> Certificate: "certificates", thumbprint;
        granted_roles(resource) -> Setting: "granted_roles", resource;
    }

    /// A secret of an application.
    Secret {
        value() -> Setting: "value";
        expires() -> Setting: "expires";
    }

    /// A certificate of an application.
    Certificate {
        certificate() -> Setting: "certificate";
    }

    /// `/tenants/<id>/users/<user principal name>`.
    User {
        object_id() -> Setting: "object_id";
        password() -> Setting: "password";
        enabled() -> Setting: "enabled";
    }

    /// `/federation_services/<id>`.
    FederationService {
        host_name() -> Setting: "host_name";
        display_name() -> Setting: "display_name";
        profile() -> Setting: "profile";
        stopped() -> Setting: "stopped";
        clock() -> Setting: "clock";
        m365_compatibility() -> Setting: "m365_compatibility";
        cors_trusted_origins() -> Setting: "cors_trusted_origins";
        cors_trusted_origin(origin) -> Setting: "cors_trusted_origins", origin;
        signing_keys() -> Setting: "signing_keys";
        signing_key(text) -> Setting: "signing_keys", text;
        decrypting_key() -> Setting: "decrypting_key";
        next_signing_key() -> Setting: "next_signing_key";
        lockout() -> Setting: "lockout";
        loop_detection() -> Setting: "loop_detection";
        scope_descriptions() -> Setting: "scope_descriptions";
        paginated_sign_in() -> Setting: "paginated_sign_in";
        alternate_login_id() -> Setting: "alternate_login_id";
        sso_lifetime() -> Setting: "sso_lifetime";
        user(name) -> FederationUser: "users", name;
        application_groups() -> Setting: "application_groups";
        application_group(name) -> ApplicationGroup: "application_groups", name;
    }

    /// `/federation_services/<id>/users/<user principal name>`.
    FederationUser {
        account() -> Setting: "account";
        password() -> Setting: "password";
        enabled() -> Setting: "enabled";
        locked() -> Setting: "locked";
        expired() -> Setting: "expired";
        password_expires() -> Setting: "password_expires";
        sid() -> Setting: "sid";
        attribute(name) -> Setting: "attributes", name;
    }

    /// `/federation_services/<id>/application_groups/<name>`.
    ApplicationGroup {
        native_application(client_id) -> NativeApplication: "native_applications", client_id;
        server_application(client_id) -> ServerApplication: "server_applications", client_id;
        web_api(identifier) -> WebApi: "web_apis", identifier;
    }

    /// A native application of an application group.
    NativeApplication {
        redirect_uris() -> Setting: "redirect_uris";
        logout_uri() -> Setting: "logout_uri";
    }

    /// A server application of an application group.
    ServerApplication {
        redirect_uris() -> Setting: "redirect_uris";
        logout_uri() -> Setting: "logout_uri";
        secrets() -> Setting: "secrets";
        secret(name) -> Setting: "secrets", name;
        certificates() -> Setting: "certificates";
        certificate(thumbprint) -> Certificate: "certificates", thumbprint;
    }

    /// A Web API of an application group.
    WebApi {
        identifiers() -> Setting: "identifiers";
        identifier(identifier) -> Setting: "identifiers", identifier;
        permission(client_id) -> Setting: "permissions", client_id;
        permissions() -> Setting: "permissions";
        scope(client_id, scope) -> Setting: "permissions", client_id, scope;
        issued_claims() -> Setting: "issued_claims";
        token_lifetime() -> Setting: "token_lifetime";
    }

    /// `/environments/<id>`.
    Environment {
        identity() -> Setting: "identity";
        host() -> Setting: "host";
        web_config(key) -> Setting: File::WebConfig.member(), key;
        axsf(key) -> Setting: File::Axsf.member(), key;
        stopped() -> Setting: "stopped";
        refreshes_keys() -> Setting: "refreshes_keys";
        metadata_signing_certificate() -> Setting: "metadata_signing_certificate";
        audience_uris() -> Setting: File::WifConfig.member(), "audienceUris";
        audience_uri(uri) -> Setting: File::WifConfig.member(), "audienceUris", uri;
        machine() -> Setting: "machine";
        clock() -> Setting: "machine", "clock";
        store_location(location) -> Setting: "machine", "certificates", location;
        store(location, store) -> Setting: "machine", "certificates", location, store;
        stored_certificate(location, store, thumbprint) -> StoredCertificate:
            "machine", "certificates", location, store, thumbprint;
        node(name) -> Node: "nodes", name;
        database() -> Setting: "database";
        flight(name) -> Flight: "database", "SysFlighting", name;
        aad_client(client_id) -> AadClient: "database", "SysAADClientTable", client_id;
        aad_clients() -> Setting: "database", "SysAADClientTable";
        user_infos() -> Setting: "database", "UserInfo";
        user_info(user_id) -> UserInfo: "database", "UserInfo", user_id;
        dual_write() -> Setting: "database", "DualWriteProjectConfiguration";
        dataverse_url() -> Setting: "database", "DualWriteProjectConfiguration", "ExternalEnvironmentURL";
        dual_write_map(entity) -> DualWriteMap: "database", "DualWriteProjectConfiguration", "Maps", entity;
        tables() -> Setting: "tables";
        records(set) -> Setting: "records", set;
    }

    /// `/environments/<id>/machine/certificates/<location>/<store>/<thumbprint>`.
    StoredCertificate {
        certificate() -> Setting: "certificate";
        private_key() -> PrivateKey: "private_key";
    }

    /// The private key of a certificate in a store.
    PrivateKey {
        key() -> Setting: "key";
        readable_by() -> Setting: "readable_by";
    }

    /// `/environments/<id>/nodes/<name>`.
    Node {
        host() -> Setting: "host";
        stopped() -> Setting: "stopped";
        clock() -> Setting: "clock";
        axsf(key) -> Setting: File::Axsf.member(), key;
        store_location(location) -> Setting: "machine", "certificates", location;
        store(location, store) -> Setting: "machine", "certificates", location, store;
        stored_certificate(location, store, thumbprint) -> StoredCertificate:
            "machine", "certificates", location, store, thumbprint;
    }

    /// A row of SysFlighting.
    Flight {
        enabled() -> Setting: "Enabled";
    }

    /// A row of SysAADClientTable.
    AadClient {
        user_id() -> Setting: "UserId";
    }

    /// A row of UserInfo.
    UserInfo {
        enable() -> Setting: "Enable";
        network_alias() -> Setting: "NetworkAlias";
        identity_provider() -> Setting: "IdentityProvider";
        sid() -> Setting: "Sid";
        company() -> Setting: "Company";
    }

    /// A Dual Write map.
    DualWriteMap {
        state() -> Setting: "State";
    }

    /// `/organizations/<key>`.
    Organization {
        id() -> Setting: "id";
        name() -> Setting: "name";
        tenant() -> Setting: "tenant";
        host() -> Setting: "host";
        api_host() -> Setting: "api_host";
        business_unit() -> Setting: "business_unit";
        clock() -> Setting: "clock";
        application_users() -> Setting: "application_users";
        application_user(client_id) -> ApplicationUser: "application_users", client_id;
        role(name) -> SecurityRole: "roles", name;
        tables() -> Setting: "tables";
        records(set) -> Setting: "records", set;
    }

    /// `/organizations/<key>/application_users/<client id>`.
    ApplicationUser {
        id() -> Setting: "id";
        enabled() -> Setting: "enabled";
        roles() -> Setting: "roles";
        role(name) -> Setting: "roles", name;
        time_zone() -> Setting: "time_zone";
    }

    /// `/organizations/<key>/roles/<name>`.
    SecurityRole {
        id() -> Setting: "id";
        privileges() -> Setting: "privileges";
        privilege(held) -> Setting: "privileges", held;
    }

    /// `/caller`.
    Caller {
        tenant() -> Setting: "tenant";
        client_id() -> Setting: "client_id";
        client_secret() -> Setting: "client_secret";
        environment() -> Setting: "environment";
        does() -> Setting: "does";
        count() -> Setting: "count";
        resource() -> Setting: "resource";
        sign_in() -> SignIn: "sign_in";
        customer() -> Setting: "customer";
    }

    /// `/caller/sign_in`.
    SignIn {
        provider() -> Setting: "provider";
        client_id() -> Setting: "client_id";
        client_secret() -> Setting: "client_secret";
        redirect_uri() -> Setting: "redirect_uri";
        flow() -> Setting: "flow";
        resource() -> Setting: "resource";
        scope() -> Setting: "scope";
        loses() -> Setting: "loses";
        user() -> Setting: "user";
        password() -> Setting: "password";
    }
}

impl Environment {
    /// The member that holds what one of its files says.
    pub fn file(&self, file: File) -> Setting {
        self.join(file.member())
    }
}

/// What all nodes of an environment have in common where this setting is one node's own: what counts there once it is gone.
pub fn shared_by_nodes(setting: &Setting) -> Option<Setting> {
    let segments: Vec<String> = setting.segments().collect();
    match segments.as_slice() {
        [environments, id, nodes, _, member, rest @ ..]
            if environments == ENVIRONMENTS
                && nodes == "nodes"
                && (member == "axsf" || member == "machine") =>
        {
            let shared = environment(id).join(member);
            Some(rest.iter().fold(shared, |setting, segment| setting.join(segment)))
        }
        _ => None,
    }
}

/// The environment, or the one node of it, that reads this setting at its start only, so that a change counts after a restart: its config files, its
/// flights, its link to Dataverse and the certificate stores of its machines.
pub fn reader_at_start(setting: &Setting) -> Option<String> {
    let segments: Vec<String> = setting.segments().collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        // A clock is looked at all the time.
        ["environments", _, "machine", "clock"] => None,
        [
            "environments",
            environment,
            "web_config" | "wif_config" | "axsf" | "machine" | "metadata_signing_certificate",
            ..,
        ]
        | ["environments", environment, "database", "SysFlighting" | "DualWriteProjectConfiguration", ..] => {
            Some((*environment).to_owned())
        }
        ["environments", environment, "nodes", node, "axsf" | "machine", ..] => {
            Some(format!("{environment}/{node}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_escaped_wherever_they_stand() {
        assert_eq!(
            tenant("t").application("a/b").certificate("~").as_str(),
            "/tenants/t/applications/a~1b/certificates/~0"
        );
        assert_eq!(environment("e").web_config("Aad.Realm").as_str(), "/environments/e/web_config/Aad.Realm");
        let stored = environment("e").stored_certificate("LocalMachine", "My", "00");
        assert_eq!(
            stored.private_key().readable_by().as_str(),
            "/environments/e/machine/certificates/LocalMachine/My/00/private_key/readable_by"
        );
        assert_eq!(end_of(&caller().resource()).as_str(), "/caller/resource/-");
    }
}
