package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

type settings struct {
	Entra struct {
		BaseURL      string `json:"base_url"`
		TenantID     string `json:"tenant_id"`
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
	} `json:"entra"`
	Dataverse struct {
		Resource string `json:"resource"`
	} `json:"dataverse"`
	CA string `json:"ca_pem_text"`
}

func main() {
	text, err := os.ReadFile("settings.json")
	check(err)
	var s settings
	check(json.Unmarshal(text, &s))

	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(s.CA))
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}

	options := &azidentity.ClientSecretCredentialOptions{DisableInstanceDiscovery: true}
	options.Cloud = cloud.Configuration{ActiveDirectoryAuthorityHost: s.Entra.BaseURL}
	options.Transport = &http.Client{Transport: transport}
	credential, err := azidentity.NewClientSecretCredential(
		s.Entra.TenantID, s.Entra.ClientID, s.Entra.ClientSecret, options)
	check(err)
	token, err := credential.GetToken(context.Background(), policy.TokenRequestOptions{
		Scopes: []string{s.Dataverse.Resource + "/.default"},
	})
	check(err)
	fmt.Println(token.Token)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
