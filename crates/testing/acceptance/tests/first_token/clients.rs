//! The clients of `docs/clients.md`: what gets each its first token, and what it has to be told.
//!
//! Decides nothing: one table, which the page is written from and the tests run. What is seen where something is left out
//! is what the client said when it was left out; the tests see it again.

/// A client and the file of its own that gets a token.
pub(crate) struct Client {
    /// As people call it.
    pub(crate) name: &'static str,
    /// Under `clients/first_token`; of Go the module's directory.
    pub(crate) file: &'static str,
    /// What runs it.
    pub(crate) toolchain: Toolchain,
    /// What a person types once, empty where nothing has to be installed.
    pub(crate) install: &'static str,
    /// What a person types then.
    pub(crate) run: &'static str,
    /// What it has to be told.
    pub(crate) told: &'static [Told],
    /// What else is good to know.
    pub(crate) notes: &'static [&'static str],
}

/// What runs a client, and whether a continuous integration has to have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Toolchain {
    Curl,
    Python,
    Node,
    Dotnet,
    PowerShell,
    Go,
    Java,
}

/// One thing a client has to be told.
pub(crate) struct Told {
    /// As it is written.
    pub(crate) what: &'static str,
    /// In a line.
    pub(crate) why: &'static str,
    /// How the test leaves it out.
    pub(crate) without: Without,
    /// What is seen then.
    pub(crate) seen: Seen,
}

/// How something is left out.
pub(crate) enum Without {
    /// In the file, this text becomes that one.
    Text(&'static str, &'static str),
    /// The variable keeps what it had before.
    Variable,
}

/// What is seen where something is left out.
pub(crate) enum Seen {
    /// The client fails and says this.
    Says(&'static str),
    /// The client asks Microsoft, and what that comes to is no matter of the lab: the second text is what is known of it.
    AsksMicrosoft(&'static str),
}

/// The variable that makes .NET on Linux trust a root, as a shell sets it.
pub(crate) const DOTNET_TRUST: (&str, &str) = ("SSL_CERT_FILE", "ca_bundle_pem");
/// The one of Node.js.
pub(crate) const NODE_TRUST: (&str, &str) = ("NODE_EXTRA_CA_CERTS", "ca_pem");

const DOTNET_STORE: &str = "`SSL_CERT_FILE` is read on Linux, when the process starts, and replaces the system's roots: hence the \
     bundle. On Windows and macOS .NET asks the system's store alone: put `ca_pem` there, never the bundle.";
const ISSUER: &str =
    "the issuer has to be the one that the document there names; without it, that is sts.windows.net";
const PRIVATE_KEY_JWT: &str = "By certificate: `PrivateKeyJwt(key, { [modifyAssertion]: (header) => ... })` that puts `x5t` (an RS256 key) or \
     `x5t#S256` (a PS256 key) into the header; it names no certificate by itself.";
const DISCOVERY_ENDS_IT: &str = "A tenant that is not there ends discovery with `OAUTH_RESPONSE_IS_NOT_CONFORM`; Entra's words, AADSTS90002, are in \
     the answer, `error.cause`, and `mocktenant explain` has them.";
const CANNOT_KNOW: &str = "Microsoft does not know the lab";

pub(crate) const CLIENTS: &[Client] = &[
    Client {
        name: "curl",
        file: "curl.sh",
        toolchain: Toolchain::Curl,
        install: "",
        run: "sh curl.sh",
        told: &[
            Told {
                what: "`--cacert`",
                why: "the lab's certificate is its own CA's",
                without: Without::Text(" --cacert \"$(setting .ca_pem)\"", ""),
                seen: Seen::Says("SSL certificate problem: unable to get local issuer certificate"),
            },
            Told {
                what: "`/.default` behind the resource",
                why: "an application's scopes are those it has; so it is for every client of this page",
                without: Without::Text("/.default", ""),
                seen: Seen::Says("AADSTS1002012: The provided value for scope"),
            },
        ],
        notes: &["`--data-urlencode`, not `-d`: a secret of your own may hold `+`, `&` or `%`."],
    },
    Client {
        name: "MSAL for Python",
        file: "msal_python.py",
        toolchain: Toolchain::Python,
        install: "pip install msal",
        run: "python msal_python.py",
        told: &[
            Told {
                what: "`instance_discovery=False`",
                why: "else MSAL asks login.microsoftonline.com whether it knows this authority",
                without: Without::Text("    instance_discovery=False,\n", ""),
                seen: Seen::AsksMicrosoft(
                    "what it then says is `invalid_instance: The authority you provided, ..., is not known.`",
                ),
            },
            Told {
                what: "`REQUESTS_CA_BUNDLE`, before the first request",
                why: "where it is set, as companies set it, it wins over `verify=`",
                without: Without::Text("os.environ[\"REQUESTS_CA_BUNDLE\"] = s[\"ca_pem\"]", "pass"),
                seen: Seen::Says("CERTIFICATE_VERIFY_FAILED"),
            },
            Told {
                what: "not `verify=` instead of it",
                why: "requests looks at `REQUESTS_CA_BUNDLE` and `CURL_CA_BUNDLE` first",
                without: Without::Text(
                    "os.environ[\"REQUESTS_CA_BUNDLE\"] = s[\"ca_pem\"]",
                    "from functools import partial; msal.ConfidentialClientApplication = \
                     partial(msal.ConfidentialClientApplication, verify=s[\"ca_pem\"])",
                ),
                seen: Seen::Says("CERTIFICATE_VERIFY_FAILED"),
            },
        ],
        notes: &[
            "A tenant that is not there is said in MSAL's words, \"Unable to get authority configuration for ...\"; Entra's, \
             AADSTS90002, are further down in the same message, and `mocktenant explain` has them.",
        ],
    },
    Client {
        name: "azure-identity for Python",
        file: "azure_identity_python.py",
        toolchain: Toolchain::Python,
        install: "pip install azure-identity",
        run: "python azure_identity_python.py",
        told: &[
            Told {
                what: "`authority`",
                why: "the lab's address, without the tenant",
                without: Without::Text("    authority=s[\"entra\"][\"base_url\"],\n", ""),
                seen: Seen::AsksMicrosoft(CANNOT_KNOW),
            },
            Told {
                what: "`disable_instance_discovery=True`",
                why: "else it asks login.microsoftonline.com whether it knows this authority",
                without: Without::Text("    disable_instance_discovery=True,\n", ""),
                seen: Seen::AsksMicrosoft(CANNOT_KNOW),
            },
            Told {
                what: "`connection_verify`",
                why: "the root to trust, for this credential alone; wins over `REQUESTS_CA_BUNDLE`",
                without: Without::Text("    connection_verify=s[\"ca_pem\"],\n", ""),
                seen: Seen::Says("Authentication failed: [SSL: CERTIFICATE_VERIFY_FAILED]"),
            },
        ],
        notes: &[],
    },
    Client {
        name: "Authlib for Python",
        file: "authlib_python.py",
        toolchain: Toolchain::Python,
        install: "pip install Authlib requests",
        run: "python authlib_python.py",
        told: &[Told {
            what: "`REQUESTS_CA_BUNDLE`, before the first request",
            why: "the root to trust",
            without: Without::Text("os.environ[\"REQUESTS_CA_BUNDLE\"] = s[\"ca_pem\"]", "pass"),
            seen: Seen::Says("CERTIFICATE_VERIFY_FAILED"),
        }],
        notes: &[
            "By certificate: `PrivateKeyJWT(token_endpoint, headers={\"x5t\": ...})` with the key as the session's secret; it \
             names no certificate by itself.",
            "`OpenIDProviderMetadata(...).validate()` asks for `token_endpoint_auth_signing_alg_values_supported`, which Entra's \
             document does not have. joserfc, which Authlib brings along, checks a token against the keys that `jwks_uri` \
             names.",
        ],
    },
    Client {
        name: "MSAL for Node.js",
        file: "msal_node.mjs",
        toolchain: Toolchain::Node,
        install: "npm install @azure/msal-node",
        run: "NODE_EXTRA_CA_CERTS=\"$(jq -r .ca_pem settings.json)\" node msal_node.mjs",
        told: &[
            Told {
                what: "`knownAuthorities`",
                why: "else MSAL asks login.microsoftonline.com whether it knows this authority",
                without: Without::Text("    knownAuthorities: [new URL(s.entra.authority).host],\n", ""),
                seen: Seen::AsksMicrosoft("`endpoints_resolution_error` where it gets no answer"),
            },
            Told {
                what: "its port, as in `localhost:7443`",
                why: "a host without the port is another one",
                without: Without::Text(".host]", ".hostname]"),
                seen: Seen::AsksMicrosoft("`endpoints_resolution_error` where it gets no answer"),
            },
            Told {
                what: "`NODE_EXTRA_CA_CERTS`",
                why: "the root to trust; read when Node starts, so not from within",
                without: Without::Variable,
                seen: Seen::Says("ClientAuthError: endpoints_resolution_error"),
            },
        ],
        notes: &["`endpoints_resolution_error` is all MSAL says of a certificate it does not trust."],
    },
    Client {
        name: "@azure/identity for Node.js",
        file: "azure_identity_node.mjs",
        toolchain: Toolchain::Node,
        install: "npm install @azure/identity",
        run: "node azure_identity_node.mjs",
        told: &[
            Told {
                what: "`authorityHost`",
                why: "the lab's address, without the tenant",
                without: Without::Text("  authorityHost: s.entra.base_url,\n", ""),
                seen: Seen::AsksMicrosoft(CANNOT_KNOW),
            },
            Told {
                what: "`disableInstanceDiscovery: true`",
                why: "else it asks login.microsoftonline.com whether it knows this authority",
                without: Without::Text("  disableInstanceDiscovery: true,\n", ""),
                seen: Seen::AsksMicrosoft("`endpoints_resolution_error` where it gets no answer"),
            },
            Told {
                what: "`tlsOptions.ca`",
                why: "the root to trust, for this credential alone (or `NODE_EXTRA_CA_CERTS`, read when Node starts)",
                without: Without::Text("  tlsOptions: { ca: s.ca_pem_text },\n", ""),
                seen: Seen::Says("CredentialUnavailableError: endpoints_resolution_error"),
            },
        ],
        notes: &[],
    },
    Client {
        name: "openid-client for Node.js",
        file: "openid_client.mjs",
        toolchain: Toolchain::Node,
        install: "npm install openid-client",
        run: "NODE_EXTRA_CA_CERTS=\"$(jq -r .ca_pem settings.json)\" node openid_client.mjs",
        told: &[
            Told {
                what: "`/v2.0` behind the authority",
                why: ISSUER,
                without: Without::Text(" + \"/v2.0\"", ""),
                seen: Seen::Says("discovered metadata issuer does not match the expected issuer"),
            },
            Told {
                what: "`NODE_EXTRA_CA_CERTS`",
                why: "the root to trust; read when Node starts, so not from within",
                without: Without::Variable,
                seen: Seen::Says("UNABLE_TO_GET_ISSUER_CERT_LOCALLY"),
            },
        ],
        notes: &[PRIVATE_KEY_JWT, DISCOVERY_ENDS_IT],
    },
    Client {
        name: "oauth4webapi for Node.js",
        file: "oauth4webapi.mjs",
        toolchain: Toolchain::Node,
        install: "npm install oauth4webapi",
        run: "NODE_EXTRA_CA_CERTS=\"$(jq -r .ca_pem settings.json)\" node oauth4webapi.mjs",
        told: &[
            Told {
                what: "`/v2.0` behind the authority",
                why: ISSUER,
                without: Without::Text(" + \"/v2.0\"", ""),
                seen: Seen::Says("\"response\" body \"issuer\" property does not match the expected value"),
            },
            Told {
                what: "`NODE_EXTRA_CA_CERTS`",
                why: "the root to trust; read when Node starts, so not from within",
                without: Without::Variable,
                seen: Seen::Says("UNABLE_TO_GET_ISSUER_CERT_LOCALLY"),
            },
        ],
        notes: &[
            PRIVATE_KEY_JWT,
            DISCOVERY_ENDS_IT,
            "`validateJwtAccessToken` refuses Entra's tokens: their `typ` is `JWT`, not the `at+jwt` of RFC 9068. `jose` takes \
             them.",
        ],
    },
    Client {
        name: "MSAL.NET",
        file: "msal_dotnet.cs",
        toolchain: Toolchain::Dotnet,
        install: "",
        run: "SSL_CERT_FILE=\"$(jq -r .ca_bundle_pem settings.json)\" dotnet run msal_dotnet.cs",
        told: &[
            Told {
                what: "`WithInstanceDiscovery(false)`",
                why: "else MSAL asks login.microsoftonline.com whether it knows this authority",
                without: Without::Text("    .WithInstanceDiscovery(false)\n", ""),
                seen: Seen::AsksMicrosoft("where it gets no answer it goes on, and a token comes"),
            },
            Told {
                what: "`SSL_CERT_FILE`",
                why: "the root to trust",
                without: Without::Variable,
                seen: Seen::Says(
                    "The remote certificate is invalid because of errors in the certificate chain: PartialChain",
                ),
            },
        ],
        notes: &[
            "One file as .NET 10 runs it; in a project, the lines that begin with `#:` are its package references.",
            DOTNET_STORE,
        ],
    },
    Client {
        name: "Azure.Identity for .NET",
        file: "azure_identity_dotnet.cs",
        toolchain: Toolchain::Dotnet,
        install: "",
        run: "SSL_CERT_FILE=\"$(jq -r .ca_bundle_pem settings.json)\" dotnet run azure_identity_dotnet.cs",
        told: &[
            Told {
                what: "`AuthorityHost`",
                why: "the lab's address, without the tenant",
                without: Without::Text(
                    "        AuthorityHost = new Uri(entra.GetProperty(\"base_url\").GetString()!),\n",
                    "",
                ),
                seen: Seen::AsksMicrosoft(CANNOT_KNOW),
            },
            Told {
                what: "`DisableInstanceDiscovery = true`",
                why: "else it asks login.microsoftonline.com whether it knows this authority",
                without: Without::Text("        DisableInstanceDiscovery = true,\n", ""),
                seen: Seen::AsksMicrosoft("where it gets no answer it goes on, and a token comes"),
            },
            Told {
                what: "`SSL_CERT_FILE`",
                why: "the root to trust",
                without: Without::Variable,
                seen: Seen::Says(
                    "The remote certificate is invalid because of errors in the certificate chain: PartialChain",
                ),
            },
        ],
        notes: &[
            "Its exception may end at \"ClientSecretCredential authentication failed: \"; the AADSTS text is then in \
             `InnerException`.",
            DOTNET_STORE,
        ],
    },
    Client {
        name: "PowerShell",
        file: "powershell.ps1",
        toolchain: Toolchain::PowerShell,
        install: "",
        run: "SSL_CERT_FILE=\"$(jq -r .ca_bundle_pem settings.json)\" pwsh -File powershell.ps1",
        told: &[Told {
            what: "`SSL_CERT_FILE`",
            why: "the root to trust",
            without: Without::Variable,
            seen: Seen::Says("PartialChain"),
        }],
        notes: &[DOTNET_STORE],
    },
    Client {
        name: "azidentity for Go",
        file: "azidentity",
        toolchain: Toolchain::Go,
        install: "go get github.com/Azure/azure-sdk-for-go/sdk/azidentity",
        run: "go run .",
        told: &[
            Told {
                what: "`Cloud`",
                why: "the lab's address, without the tenant",
                without: Without::Text(
                    "options.Cloud = cloud.Configuration{ActiveDirectoryAuthorityHost: s.Entra.BaseURL}",
                    "options.Cloud = cloud.AzurePublic",
                ),
                seen: Seen::AsksMicrosoft(CANNOT_KNOW),
            },
            Told {
                what: "`DisableInstanceDiscovery: true`",
                why: "else it asks login.microsoftonline.com whether it knows this authority",
                without: Without::Text("DisableInstanceDiscovery: true", ""),
                seen: Seen::AsksMicrosoft("`unable to resolve an endpoint` where it gets no answer"),
            },
            Told {
                what: "`Transport`",
                why: "the root to trust, for this credential alone (on Linux also `SSL_CERT_FILE`)",
                without: Without::Text("&tls.Config{RootCAs: roots}", "&tls.Config{}"),
                seen: Seen::Says("x509: certificate signed by unknown authority"),
            },
        ],
        notes: &[],
    },
    Client {
        name: "MSAL4J for Java",
        file: "Msal4j.java",
        toolchain: Toolchain::Java,
        install: "mvn dependency:copy-dependencies -DoutputDirectory=lib",
        run: "java -cp 'lib/*' Msal4j.java",
        told: &[
            Told {
                what: "`instanceDiscovery(false)`",
                why: "else MSAL asks login.microsoftonline.com whether it knows this authority",
                without: Without::Text("            .instanceDiscovery(false)\n", ""),
                seen: Seen::AsksMicrosoft("where it gets no answer it goes on, and a token comes"),
            },
            Told {
                what: "`sslSocketFactory`",
                why: "the root to trust, for this client alone (or a truststore: `-Djavax.net.ssl.trustStore=...`)",
                without: Without::Text("            .sslSocketFactory(tls.getSocketFactory())\n", ""),
                seen: Seen::Says("PKIX path building failed"),
            },
        ],
        notes: &[
            "`com.microsoft.azure:msal4j` is the one dependency; it brings `azure-json`, which reads the settings here.",
        ],
    },
];
