import com.azure.json.JsonProviders;
import com.azure.json.JsonReader;
import com.azure.json.JsonWriter;
import com.microsoft.aad.msal4j.*;
import java.io.ByteArrayInputStream;
import java.io.FileInputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.*;
import java.util.concurrent.ExecutionException;
import javax.net.ssl.*;

/** MSAL4J at AD FS, a flow by its name: Msal4j FLOW SETTINGS */
class Msal4j {
    static final String NOBODY = "c0117050-0000-4000-8000-0000000000ff";

    static Map<String, Object> settings;
    static Map<String, String> adfs;
    static Map<String, String> user;

    static Set<String> scope(String name) {
        return Set.of(adfs.get("resource") + "/" + name);
    }

    static ConfidentialClientApplication.Builder server(String client, IClientCredential credential) throws Exception {
        var app = ConfidentialClientApplication.builder(client, credential)
            .authority(adfs.get("base_url"));
        return isLocal() ? app.sslSocketFactory(tls()) : app;
    }

    static ConfidentialClientApplication bySecret(String client, String secret) throws Exception {
        return server(client, ClientCredentialFactory.createFromSecret(secret)).build();
    }

    static ConfidentialClientApplication bySecret() throws Exception {
        return bySecret(adfs.get("client_id"), adfs.get("client_secret"));
    }

    static ConfidentialClientApplication byCertificate(boolean chain) throws Exception {
        return server(adfs.get("client_id"), certificate()).sendX5c(chain).build();
    }

    static PublicClientApplication byPassword() throws Exception {
        var app = PublicClientApplication.builder(adfs.get("native_client_id"))
            .authority(adfs.get("base_url"));
        return (isLocal() ? app.sslSocketFactory(tls()) : app).build();
    }

    static Map<String, Object> appOnly(ConfidentialClientApplication app, String scope) throws Exception {
        var parameters = ClientCredentialParameters.builder(scope(scope)).build();
        var result = app.acquireToken(parameters).get();
        var again = app.acquireToken(parameters).get();
        var said = saw(result);
        said.put("kept", isKept(again));
        return said;
    }

    static IAuthenticationResult signIn(PublicClientApplication app, Set<String> scopes, String password) throws Exception {
        return app.acquireToken(
            UserNamePasswordParameters.builder(scopes, user.get("name"), password.toCharArray()).build()).get();
    }

    static Map<String, Object> password(String password) throws Exception {
        var result = signIn(byPassword(), scope("openid"), password);
        var said = saw(result);
        said.put("user", result.account().username());
        return said;
    }

    static Map<String, Object> refresh() throws Exception {
        var app = byPassword();
        var first = signIn(app, scope("openid"), user.get("password"));
        var account = app.getAccounts().get().iterator().next();
        var kept = app.acquireTokenSilently(SilentParameters.builder(scope("openid"), account).build()).get();
        var forced = SilentParameters.builder(scope("openid"), account).forceRefresh(true).build();
        var refreshed = app.acquireTokenSilently(forced).get();
        // The refresh gave no refresh token: the first one is still there.
        var again = app.acquireTokenSilently(forced).get();
        var said = saw(first);
        said.put("kept", isKept(kept));
        said.put("refreshed", claims(refreshed.accessToken()));
        said.put("refreshed_again", claims(again.accessToken()));
        return said;
    }

    static String settingsFile;

    /** Somebody without a browser. */
    static String person(String... line) throws Exception {
        var all = new ArrayList<>(List.of(System.getenv("PYTHON"), System.getenv("PERSON"), settingsFile));
        all.addAll(List.of(line));
        var run = new ProcessBuilder(all).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        return new String(run.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> signIn() throws Exception {
        var verifier = "a-verifier-of-forty-three-letters-or-rather-more";
        var hash = java.security.MessageDigest.getInstance("SHA-256").digest(verifier.getBytes(StandardCharsets.US_ASCII));
        var app = byPassword();
        var url = app.getAuthorizationRequestUrl(
            AuthorizationRequestUrlParameters.builder(adfs.get("redirect_uri"), scope("openid"))
                .responseMode(ResponseMode.QUERY)
                .codeChallenge(Base64.getUrlEncoder().withoutPadding().encodeToString(hash))
                .codeChallengeMethod("S256").build());
        Map<String, Object> back;
        try (JsonReader json = JsonProviders.createReader(person("goes", url.toString()))) {
            back = (Map<String, Object>) json.readUntyped();
        }
        var first = app.acquireToken(
            AuthorizationCodeParameters.builder((String) back.get("code"), new URI(adfs.get("redirect_uri")))
                .scopes(scope("openid")).codeVerifier(verifier).build()).get();
        var silent = SilentParameters.builder(scope("openid"), first.account()).forceRefresh(true).build();
        var said = saw(first);
        said.put("user", first.account().username());
        said.put("refreshed", claims(app.acquireTokenSilently(silent).get().accessToken()));
        return said;
    }

    static Map<String, Object> device() throws Exception {
        var message = new String[1];
        var parameters = DeviceCodeFlowParameters.builder(scope("openid"), code -> {
            message[0] = code.message();
            try {
                person("confirms", code.verificationUri(), code.userCode());
            } catch (Exception failed) {
                throw new IllegalStateException(failed);
            }
        }).build();
        var said = saw(byPassword().acquireToken(parameters).get());
        said.put("message", message[0]);
        return said;
    }

    static Map<String, Object> run(String flow) throws Exception {
        return switch (flow) {
            case "secret", "secret_by_name" -> appOnly(bySecret(), "openid");
            case "certificate", "certificate_by_name" -> appOnly(byCertificate(false), "openid");
            case "certificate_chain_sent" -> appOnly(byCertificate(true), "openid");
            case "default_alone" -> appOnly(bySecret(), ".default");
            case "wrong_secret" -> appOnly(bySecret(adfs.get("client_id"), "wrong"), "openid");
            case "unknown_client" -> appOnly(bySecret(NOBODY, adfs.get("client_secret")), "openid");
            case "username_and_password" -> password(user.get("password"));
            case "wrong_password" -> password("wrong");
            case "refresh_by_the_cache" -> refresh();
            case "sign_in", "sign_in_by_name" -> signIn();
            case "device_code" -> device();
            default -> throw new IllegalArgumentException(flow);
        };
    }

    @SuppressWarnings("unchecked")
    public static void main(String[] arguments) throws Exception {
        settingsFile = arguments[1];
        try (JsonReader json = JsonProviders.createReader(Files.readString(Path.of(arguments[1])))) {
            settings = (Map<String, Object>) json.readUntyped();
        }
        adfs = (Map<String, String>) settings.get("adfs");
        user = (Map<String, String>) settings.get("user");
        Map<String, Object> said;
        try {
            said = run(arguments[0]);
        } catch (ExecutionException failed) {
            if (!(failed.getCause() instanceof MsalException refused)) throw failed;
            said = new LinkedHashMap<>();
            said.put("error", refused.errorCode() + ": " + refused.getMessage());
        }
        try (JsonWriter json = JsonProviders.createWriter(System.out)) {
            json.writeMap(said, JsonWriter::writeUntyped);
        }
        System.exit(0);
    }

    static boolean isKept(IAuthenticationResult result) {
        return result.metadata().tokenSource() == TokenSource.CACHE;
    }

    static Map<String, Object> saw(IAuthenticationResult result) throws Exception {
        var said = new LinkedHashMap<String, Object>();
        said.put("claims", claims(result.accessToken()));
        return said;
    }

    static Object claims(String token) throws Exception {
        var payload = new String(Base64.getUrlDecoder().decode(token.split("\\.")[1]), StandardCharsets.UTF_8);
        try (JsonReader json = JsonProviders.createReader(payload)) {
            return json.readUntyped();
        }
    }

    @SuppressWarnings("unchecked")
    static IClientCredential certificate() throws Exception {
        var pem = Files.readString(Path.of(((Map<String, String>) settings.get("entra")).get("certificate_pem")));
        var key = KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(der(pem, "PRIVATE KEY")));
        var certificate = CertificateFactory.getInstance("X.509")
            .generateCertificate(new ByteArrayInputStream(der(pem, "CERTIFICATE")));
        return ClientCredentialFactory.createFromCertificate(key, (X509Certificate) certificate);
    }

    static byte[] der(String pem, String label) {
        var begin = "-----BEGIN " + label + "-----";
        var from = pem.indexOf(begin) + begin.length();
        return Base64.getMimeDecoder().decode(pem.substring(from, pem.indexOf("-----END " + label, from)));
    }

    /** At the lab's own address; by a name of the world nothing has to be told. */
    static boolean isLocal() {
        return adfs.get("base_url").startsWith("https://localhost:");
    }

    static SSLSocketFactory tls() throws Exception {
        var roots = KeyStore.getInstance(KeyStore.getDefaultType());
        roots.load(null);
        try (var pem = new FileInputStream((String) settings.get("ca_pem"))) {
            roots.setCertificateEntry("lab", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(roots);
        var tls = SSLContext.getInstance("TLS");
        tls.init(null, trust.getTrustManagers(), null);
        return tls.getSocketFactory();
    }
}
