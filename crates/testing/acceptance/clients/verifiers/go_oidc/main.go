// An API's judge of tokens, by go-oidc: go_oidc ISSUER AUDIENCE, tokens on standard input, a verdict for each.
// The root of the tests is trusted through SSL_CERT_FILE, which Go reads on Linux.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
)

func main() {
	ctx := context.Background()
	// Discovery; the verifier takes issuer, keys and algorithms from it.
	provider, err := oidc.NewProvider(ctx, os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	verifier := provider.Verifier(&oidc.Config{ClientID: os.Args[2]})

	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		token, err := verifier.Verify(ctx, lines.Text())
		if err != nil {
			fmt.Println("refused:", err)
			continue
		}
		var claims struct {
			Roles []string `json:"roles"`
		}
		if err := token.Claims(&claims); err != nil {
			log.Fatal(err)
		}
		fmt.Println(strings.Join(append([]string{"accepted"}, claims.Roles...), " "))
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}
