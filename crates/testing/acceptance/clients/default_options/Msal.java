import com.microsoft.aad.msal4j.ClientCredentialFactory;
import com.microsoft.aad.msal4j.ClientCredentialParameters;
import com.microsoft.aad.msal4j.ConfidentialClientApplication;
import com.microsoft.aad.msal4j.IAuthenticationResult;
import com.microsoft.aad.msal4j.IClientCredential;
import com.microsoft.aad.msal4j.ManagedIdentityApplication;
import com.microsoft.aad.msal4j.ManagedIdentityId;
import com.microsoft.aad.msal4j.ManagedIdentityParameters;
import java.io.ByteArrayInputStream;
import java.io.FileInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Set;
import java.util.concurrent.Callable;

class Msal {
    static final String RESOURCE = "https://contoso.crm4.dynamics.com";

    static IClientCredential credential() throws Exception {
        var path = System.getenv("AZURE_CLIENT_CERTIFICATE_PATH");
        if (path == null) return ClientCredentialFactory.createFromSecret(System.getenv("AZURE_CLIENT_SECRET"));
        if (path.endsWith(".pfx")) return ClientCredentialFactory.createFromCertificate(new FileInputStream(path), "");
        var pem = Files.readString(Path.of(path));
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

    static Callable<IAuthenticationResult> asking() throws Exception {
        if (System.getenv("AZURE_CLIENT_ID") == null) {
            var machine = ManagedIdentityApplication.builder(ManagedIdentityId.systemAssigned()).build();
            var parameters = ManagedIdentityParameters.builder(RESOURCE).build();
            return () -> machine.acquireTokenForManagedIdentity(parameters).get();
        }
        var app = ConfidentialClientApplication.builder(System.getenv("AZURE_CLIENT_ID"), credential())
            .authority("https://login.microsoftonline.com/" + System.getenv("AZURE_TENANT_ID"))
            .sendX5c(System.getenv("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN") != null).build();
        var parameters = ClientCredentialParameters.builder(Set.of(RESOURCE + "/.default")).build();
        return () -> app.acquireToken(parameters).get();
    }

    public static void main(String[] arguments) throws Exception {
        var ask = asking();
        var first = ask.call();
        var again = ask.call();
        System.out.println(first.accessToken());
        System.out.println(first.accessToken().equals(again.accessToken()) ? "cached" : "asked again");
        System.exit(0);
    }
}
