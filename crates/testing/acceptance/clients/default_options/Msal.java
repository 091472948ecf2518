import com.microsoft.aad.msal4j.ClientCredentialFactory;
import com.microsoft.aad.msal4j.ClientCredentialParameters;
import com.microsoft.aad.msal4j.ConfidentialClientApplication;
import com.microsoft.aad.msal4j.IClientCredential;
import java.io.FileInputStream;
import java.util.Set;

class Msal {
    static IClientCredential credential() throws Exception {
        var pfx = System.getenv("PFX");
        return pfx == null
            ? ClientCredentialFactory.createFromSecret(System.getenv("AZURE_CLIENT_SECRET"))
            : ClientCredentialFactory.createFromCertificate(new FileInputStream(pfx), "");
    }

    public static void main(String[] arguments) throws Exception {
        var app = ConfidentialClientApplication.builder(System.getenv("AZURE_CLIENT_ID"), credential())
            .authority("https://login.microsoftonline.com/" + System.getenv("AZURE_TENANT_ID")).build();
        var scopes = ClientCredentialParameters.builder(Set.of("https://contoso.crm4.dynamics.com/.default")).build();
        var first = app.acquireToken(scopes).get();
        var again = app.acquireToken(scopes).get();
        System.out.println(first.accessToken());
        System.out.println(first.accessToken().equals(again.accessToken()) ? "cached" : "asked again");
        System.exit(0);
    }
}
