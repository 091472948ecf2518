// An API's judge of tokens, by Nimbus JOSE + JWT: Nimbus.java ISSUER AUDIENCE, tokens on standard input, a verdict for each.
// The root of the tests is trusted through -Djavax.net.ssl.trustStore.

import com.nimbusds.jose.*;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.*;
import com.nimbusds.jose.util.JSONObjectUtils;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.*;
import java.io.*;
import java.net.*;
import java.net.http.*;
import java.text.ParseException;
import java.util.*;

class Nimbus {
    public static void main(String[] arguments) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(arguments[0] + "/.well-known/openid-configuration")).build();
        var answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
        var discovery = JSONObjectUtils.parse(answer);
        var keys = JWKSourceBuilder.create(URI.create(JSONObjectUtils.getString(discovery, "jwks_uri")).toURL()).build();

        var judge = new DefaultJWTProcessor<SecurityContext>();
        judge.setJWSKeySelector(new JWSVerificationKeySelector<>(JWSAlgorithm.RS256, keys));
        judge.setJWTClaimsSetVerifier(new DefaultJWTClaimsVerifier<>(
            arguments[1],
            new JWTClaimsSet.Builder().issuer(JSONObjectUtils.getString(discovery, "issuer")).build(),
            Set.of("exp", "nbf", "oid", "tid", "azp")));

        for (var token : new BufferedReader(new InputStreamReader(System.in)).lines().toList()) {
            try {
                var roles = judge.process(token, null).getStringListClaim("roles");
                System.out.println("accepted " + String.join(" ", roles == null ? List.of() : roles));
            } catch (BadJOSEException | ParseException refused) {
                System.out.println("refused: " + refused.getMessage());
            }
        }
    }
}
