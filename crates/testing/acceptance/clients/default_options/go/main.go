package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

const dataverse = "https://contoso.crm4.dynamics.com"

var aos = cmp.Or(os.Getenv("AOS"), "https://usnconeboxax1aos.cloud.onebox.dynamics.com")

func call(credential azcore.TokenCredential, method, resource, path, body string) []byte {
	options := policy.TokenRequestOptions{Scopes: []string{resource + "/.default"}}
	token, err := credential.GetToken(context.Background(), options)
	if err != nil {
		log.Fatal(err)
	}
	request, _ := http.NewRequest(method, resource+path, strings.NewReader(body))
	request.Header.Set("Authorization", "Bearer "+token.Token)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	text, _ := io.ReadAll(answer.Body)
	if answer.StatusCode >= 400 {
		log.Fatalf("%s %s", answer.Status, text)
	}
	return text
}

func chosen() (azcore.TokenCredential, error) {
	if len(os.Args) > 1 {
		return azidentity.NewEnvironmentCredential(nil)
	}
	return azidentity.NewDefaultAzureCredential(nil)
}

func main() {
	credential, err := chosen()
	if err != nil {
		log.Fatal(err)
	}
	call(credential, "POST", aos, "/data/CustomersV3", `{"dataAreaId": "usmf", "CustomerAccount": "DE-GO",
		"OrganizationName": "Forest Wholesales", "PartyType": "Organization", "CustomerGroupId": "30", "SalesCurrencyCode": "EUR"}`)
	text := call(credential, "GET", dataverse, "/api/data/v9.2/accounts?$filter=accountnumber%20eq%20'DE-GO'&$select=accountid", "")
	var accounts struct{ Value []struct{ Accountid string } }
	if err := json.Unmarshal(text, &accounts); err != nil {
		log.Fatal(err)
	}
	text = call(credential, "GET", dataverse, "/api/data/v9.2/accounts("+accounts.Value[0].Accountid+")?$select=name", "")
	var account struct{ Name string }
	if err := json.Unmarshal(text, &account); err != nil {
		log.Fatal(err)
	}
	fmt.Println(account.Name)
}
