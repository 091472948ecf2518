import com.azure.json.JsonProviders;
import com.azure.json.JsonReader;
import com.microsoft.aad.msal4j.*;
import java.io.FileInputStream;
import java.nio.file.*;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.*;
import javax.net.ssl.*;

class Msal4j {
    @SuppressWarnings("unchecked")
    public static void main(String[] arguments) throws Exception {
        Map<String, Object> s;
        try (JsonReader json = JsonProviders.createReader(Files.readString(Path.of("settings.json")))) {
            s = (Map<String, Object>) json.readUntyped();
        }
        var entra = (Map<String, String>) s.get("entra");
        var dataverse = (Map<String, String>) s.get("dataverse");

        var roots = KeyStore.getInstance(KeyStore.getDefaultType());
        roots.load(null);
        try (var pem = new FileInputStream((String) s.get("ca_pem"))) {
            roots.setCertificateEntry("lab", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(roots);
        var tls = SSLContext.getInstance("TLS");
        tls.init(null, trust.getTrustManagers(), null);

        var app = ConfidentialClientApplication
            .builder(entra.get("client_id"), ClientCredentialFactory.createFromSecret(entra.get("client_secret")))
            .authority(entra.get("authority"))
            .instanceDiscovery(false)
            .sslSocketFactory(tls.getSocketFactory())
            .build();
        var scopes = Set.of(dataverse.get("resource") + "/.default");
        System.out.println(app.acquireToken(ClientCredentialParameters.builder(scopes).build()).get().accessToken());
    }
}
