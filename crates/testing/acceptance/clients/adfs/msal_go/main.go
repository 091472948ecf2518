// MSAL for Go at AD FS, a flow by its name: msal_go FLOW SETTINGS
package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log"
	"os"
	"os/exec"
	"strings"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// What it reads of the settings.
type settings struct {
	Entra struct {
		CertificatePem string `json:"certificate_pem"`
	}
	Adfs struct {
		BaseURL        string `json:"base_url"`
		ClientID       string `json:"client_id"`
		ClientSecret   string `json:"client_secret"`
		NativeClientID string `json:"native_client_id"`
		RedirectURI    string `json:"redirect_uri"`
		Resource       string
	}
	User struct{ Name, Password string }
}

var told settings

// As the library wants scopes: a resource and a name behind it.
func scope(name string) []string { return []string{told.Adfs.Resource + "/" + name} }

func secret(secret string) confidential.Credential {
	credential, err := confidential.NewCredFromSecret(secret)
	check(err)
	return credential
}

func certificate() confidential.Credential {
	pem, err := os.ReadFile(told.Entra.CertificatePem)
	check(err)
	certificates, key, err := confidential.CertFromPEM(pem, "")
	check(err)
	credential, err := confidential.NewCredFromCert(certificates, key)
	check(err)
	return credential
}

func ready(clientID string, credential confidential.Credential, options ...confidential.Option) confidential.Client {
	return server(clientID, credential, append(options, confidential.WithInstanceDiscovery(false))...)
}

func server(clientID string, credential confidential.Credential, options ...confidential.Option) confidential.Client {
	client, err := confidential.New(told.Adfs.BaseURL, clientID, credential, options...)
	check(err)
	return client
}

func native() public.Client {
	options := []public.Option{public.WithAuthority(told.Adfs.BaseURL), public.WithInstanceDiscovery(false)}
	client, err := public.New(told.Adfs.NativeClientID, options...)
	check(err)
	return client
}

func appOnly(client confidential.Client, scopes []string) map[string]any {
	result, err := client.AcquireTokenByCredential(context.Background(), scopes)
	if err != nil {
		return refused(err)
	}
	again, err := client.AcquireTokenByCredential(context.Background(), scopes)
	check(err)
	return map[string]any{"claims": claims(result.AccessToken), "kept": again.AccessToken == result.AccessToken}
}

func signedIn(client public.Client, scopes []string, password string) (public.AuthResult, error) {
	return client.AcquireTokenByUsernamePassword(context.Background(), scopes, told.User.Name, password)
}

func password(scopes []string, password string) map[string]any {
	result, err := signedIn(native(), scopes, password)
	if err != nil {
		return refused(err)
	}
	return map[string]any{"claims": claims(result.AccessToken), "user": result.Account.PreferredUsername}
}

func refresh() map[string]any {
	client := native()
	first, err := signedIn(client, []string{"openid"}, told.User.Password)
	check(err)
	silent := func(scopes []string) (public.AuthResult, error) {
		return client.AcquireTokenSilent(context.Background(), scopes, public.WithSilentAccount(first.Account))
	}
	kept, err := silent([]string{"openid"})
	check(err)
	said := map[string]any{"claims": claims(first.AccessToken), "kept": kept.AccessToken == first.AccessToken}
	if other, err := silent([]string{"email"}); err != nil {
		said["error"] = err.Error()
	} else {
		said["refreshed"] = claims(other.AccessToken)
	}
	return said
}

// Somebody without a browser.
func person(line ...string) string {
	command := exec.Command(os.Getenv("PYTHON"), append([]string{os.Getenv("PERSON"), os.Args[2]}, line...)...)
	command.Stderr = os.Stderr
	said, err := command.Output()
	check(err)
	return string(said)
}

func signIn() map[string]any {
	const verifier = "a-verifier-of-forty-three-letters-or-rather-more"
	client, ctx, scopes := native(), context.Background(), []string{"openid"}
	url, err := client.AuthCodeURL(ctx, told.Adfs.NativeClientID, told.Adfs.RedirectURI, scopes)
	check(err)
	// MSAL for Go asks for a challenge in its own browser flow alone.
	hash := sha256.Sum256([]byte(verifier))
	url += "&code_challenge_method=S256&code_challenge=" + base64.RawURLEncoding.EncodeToString(hash[:])
	var back map[string]string
	check(json.Unmarshal([]byte(person("goes", url)), &back))
	first, err := client.AcquireTokenByAuthCode(ctx, back["code"], told.Adfs.RedirectURI, scopes, public.WithChallenge(verifier))
	check(err)
	other, err := client.AcquireTokenSilent(ctx, []string{"email"}, public.WithSilentAccount(first.Account))
	check(err)
	return map[string]any{
		"claims": claims(first.AccessToken), "user": first.Account.PreferredUsername, "refreshed": claims(other.AccessToken),
	}
}

func device() map[string]any {
	code, err := native().AcquireTokenByDeviceCode(context.Background(), []string{"openid"})
	check(err)
	person("confirms", code.Result.VerificationURL, code.Result.UserCode)
	result, err := code.AuthenticationResult(context.Background())
	check(err)
	return map[string]any{"claims": claims(result.AccessToken), "message": code.Result.Message}
}

func main() {
	document, err := os.ReadFile(os.Args[2])
	check(err)
	check(json.Unmarshal(document, &told))
	const nobody = "c0117050-0000-4000-8000-0000000000ff"
	own, rightSecret := told.Adfs.ClientID, secret(told.Adfs.ClientSecret)
	flows := map[string]func() map[string]any{
		"secret":      func() map[string]any { return appOnly(ready(own, rightSecret), scope("openid")) },
		"certificate": func() map[string]any { return appOnly(ready(own, certificate()), scope("openid")) },
		"certificate_chain_sent": func() map[string]any {
			return appOnly(ready(own, certificate(), confidential.WithX5C()), scope("openid"))
		},
		"default_alone":                      func() map[string]any { return appOnly(ready(own, rightSecret), scope(".default")) },
		"wrong_secret":                       func() map[string]any { return appOnly(ready(own, secret("wrong")), scope("openid")) },
		"unknown_client":                     func() map[string]any { return appOnly(ready(nobody, rightSecret), scope("openid")) },
		"username_and_password":              func() map[string]any { return password(scope("openid"), told.User.Password) },
		"username_and_password_for_userinfo": func() map[string]any { return password([]string{"openid"}, told.User.Password) },
		"wrong_password":                     func() map[string]any { return password([]string{"openid"}, "wrong") },
		"instance_discovery_left_on_by_name": func() map[string]any { return appOnly(server(own, rightSecret), scope("openid")) },
		"refresh_by_the_cache":               refresh,
		"sign_in":                            signIn,
		"sign_in_by_name":                    signIn,
		"device_code":                        device,
		"secret_by_name":                     func() map[string]any { return appOnly(ready(own, rightSecret), scope("openid")) },
	}
	check(json.NewEncoder(os.Stdout).Encode(flows[os.Args[1]]()))
}

func claims(token string) map[string]any {
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	check(err)
	var claims map[string]any
	check(json.Unmarshal(payload, &claims))
	return claims
}

func refused(err error) map[string]any { return map[string]any{"error": err.Error()} }

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
