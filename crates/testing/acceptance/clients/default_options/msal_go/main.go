package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/managedidentity"
)

const resource = "https://contoso.crm4.dynamics.com"

func credential() confidential.Credential {
	path := os.Getenv("AZURE_CLIENT_CERTIFICATE_PATH")
	if path == "" {
		secret, err := confidential.NewCredFromSecret(os.Getenv("AZURE_CLIENT_SECRET"))
		check(err)
		return secret
	}
	pem, err := os.ReadFile(path)
	check(err)
	certificates, key, err := confidential.CertFromPEM(pem, "")
	check(err)
	certificate, err := confidential.NewCredFromCert(certificates, key)
	check(err)
	return certificate
}

// asking gives what asks for a token, as the machine's identity or as the application of the variables.
func asking() func() (confidential.AuthResult, error) {
	if os.Getenv("AZURE_CLIENT_ID") == "" {
		app, err := managedidentity.New(managedidentity.SystemAssigned())
		check(err)
		return func() (confidential.AuthResult, error) { return app.AcquireToken(context.Background(), resource) }
	}
	var options []confidential.Option
	if os.Getenv("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN") != "" {
		options = append(options, confidential.WithX5C())
	}
	authority := "https://login.microsoftonline.com/" + os.Getenv("AZURE_TENANT_ID")
	app, err := confidential.New(authority, os.Getenv("AZURE_CLIENT_ID"), credential(), options...)
	check(err)
	return func() (confidential.AuthResult, error) {
		return app.AcquireTokenByCredential(context.Background(), []string{resource + "/.default"})
	}
}

func main() {
	ask := asking()
	first, err := ask()
	check(err)
	again, err := ask()
	check(err)
	fmt.Println(first.AccessToken)
	if again.AccessToken == first.AccessToken {
		fmt.Println("cached")
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
