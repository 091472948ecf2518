package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
)

func credential() (confidential.Credential, error) {
	path := os.Getenv("AZURE_CLIENT_CERTIFICATE_PATH")
	if path == "" {
		return confidential.NewCredFromSecret(os.Getenv("AZURE_CLIENT_SECRET"))
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return confidential.Credential{}, err
	}
	certificates, key, err := confidential.CertFromPEM(pem, "")
	if err != nil {
		return confidential.Credential{}, err
	}
	return confidential.NewCredFromCert(certificates, key)
}

func main() {
	known, err := credential()
	if err != nil {
		log.Fatal(err)
	}
	authority := "https://login.microsoftonline.com/" + os.Getenv("AZURE_TENANT_ID")
	app, err := confidential.New(authority, os.Getenv("AZURE_CLIENT_ID"), known)
	if err != nil {
		log.Fatal(err)
	}
	scopes := []string{"https://contoso.crm4.dynamics.com/.default"}
	first, err := app.AcquireTokenByCredential(context.Background(), scopes)
	if err != nil {
		log.Fatal(err)
	}
	again, err := app.AcquireTokenByCredential(context.Background(), scopes)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(first.AccessToken)
	if again.AccessToken == first.AccessToken {
		fmt.Println("cached")
	}
}
