import com.azure.core.credential.TokenRequestContext;
import com.azure.identity.DefaultAzureCredentialBuilder;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

class Customer {
    static final String AOS =
        System.getenv().getOrDefault("AOS", "https://usnconeboxax1aos.cloud.onebox.dynamics.com");
    static final String DATAVERSE = "https://contoso.crm4.dynamics.com";
    static final HttpClient HTTP = HttpClient.newHttpClient();
    static final com.azure.core.credential.TokenCredential CREDENTIAL = new DefaultAzureCredentialBuilder().build();

    static String call(String method, String resource, String path, String body) throws Exception {
        var token = CREDENTIAL.getTokenSync(new TokenRequestContext().addScopes(resource + "/.default")).getToken();
        var request = HttpRequest.newBuilder(URI.create(resource + path)).header("Authorization", "Bearer " + token)
            .header("Content-Type", "application/json").method(method, HttpRequest.BodyPublishers.ofString(body));
        var answer = HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() >= 400) throw new Exception(answer.statusCode() + " " + answer.body());
        return answer.body();
    }

    public static void main(String[] arguments) throws Exception {
        call("POST", AOS, "/data/CustomersV3", """
            {"dataAreaId": "usmf", "CustomerAccount": "DE-JV", "OrganizationName": "Forest Wholesales",
            "PartyType": "Organization", "CustomerGroupId": "30", "SalesCurrencyCode": "EUR"}""");
        var accounts = call("GET", DATAVERSE,
            "/api/data/v9.2/accounts?$filter=accountnumber%20eq%20'DE-JV'&$select=name", "");
        System.out.println(accounts.replaceAll("(?s).*\"name\":\\s*\"([^\"]*)\".*", "$1"));
        System.exit(0);
    }
}
