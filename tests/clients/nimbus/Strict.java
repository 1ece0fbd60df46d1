// Connect2id's OAuth 2.0 SDK by the FAPI 2.0 profile: pushed requests, private_key_jwt, tokens bound to a key (DPoP).
// One JSON object a line, questions out, answers in, as in conversation.mjs.

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.oauth2.sdk.AuthorizationCodeGrant;
import com.nimbusds.oauth2.sdk.AuthorizationGrant;
import com.nimbusds.oauth2.sdk.AuthorizationRequest;
import com.nimbusds.oauth2.sdk.PushedAuthorizationRequest;
import com.nimbusds.oauth2.sdk.PushedAuthorizationResponse;
import com.nimbusds.oauth2.sdk.RefreshTokenGrant;
import com.nimbusds.oauth2.sdk.ResponseType;
import com.nimbusds.oauth2.sdk.Scope;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.TokenResponse;
import com.nimbusds.oauth2.sdk.TokenRevocationRequest;
import com.nimbusds.oauth2.sdk.auth.JWTAuthenticationClaimsSet;
import com.nimbusds.oauth2.sdk.auth.PrivateKeyJWT;
import com.nimbusds.oauth2.sdk.dpop.DefaultDPoPProofFactory;
import com.nimbusds.oauth2.sdk.dpop.JWKThumbprintConfirmation;
import com.nimbusds.oauth2.sdk.http.HTTPRequest;
import com.nimbusds.oauth2.sdk.http.HTTPResponse;
import com.nimbusds.oauth2.sdk.id.Audience;
import com.nimbusds.oauth2.sdk.id.ClientID;
import com.nimbusds.oauth2.sdk.id.Issuer;
import com.nimbusds.oauth2.sdk.id.State;
import com.nimbusds.oauth2.sdk.pkce.CodeChallengeMethod;
import com.nimbusds.oauth2.sdk.pkce.CodeVerifier;
import com.nimbusds.oauth2.sdk.token.AccessToken;
import com.nimbusds.oauth2.sdk.token.BearerAccessToken;
import com.nimbusds.oauth2.sdk.util.JSONObjectUtils;
import com.nimbusds.oauth2.sdk.util.URLUtils;
import com.nimbusds.openid.connect.sdk.AuthenticationRequest;
import com.nimbusds.openid.connect.sdk.AuthenticationResponseParser;
import com.nimbusds.openid.connect.sdk.Nonce;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponse;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponseParser;
import com.nimbusds.openid.connect.sdk.UserInfoRequest;
import com.nimbusds.openid.connect.sdk.UserInfoResponse;
import com.nimbusds.openid.connect.sdk.claims.IDTokenClaimsSet;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import com.nimbusds.openid.connect.sdk.token.OIDCTokens;
import com.nimbusds.openid.connect.sdk.validators.AccessTokenValidator;
import com.nimbusds.openid.connect.sdk.validators.IDTokenValidator;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.util.Map;
import java.util.concurrent.Callable;
import net.minidev.json.JSONObject;

public class Strict {
    private static final BufferedReader LINES = new BufferedReader(new InputStreamReader(System.in));

    private final OIDCProviderMetadata provider;
    private final ClientID client;
    private final ECKey key;
    private final DefaultDPoPProofFactory proofs;
    private Nonce nonce;
    private Nonce shown;
    private int noncesAsked;

    private Strict(JSONObject setup) throws Exception {
        provider = OIDCProviderMetadata.resolve(new Issuer((String) setup.get("issuer")));
        client = new ClientID((String) setup.get("client_id"));
        key = ECKey.parse(JSONObjectUtils.getJSONObject(setup, "key"));
        proofs = new DefaultDPoPProofFactory(new ECKeyGenerator(Curve.P_256).generate(), JWSAlgorithm.ES256);
    }

    public static void main(String[] arguments) throws Exception {
        JSONObject setup = next();
        new Strict(setup).converse(URI.create((String) setup.get("redirect_uri")), (String) setup.get("scope"));
    }

    private void converse(URI callback, String scope) throws Exception {
        CodeVerifier verifier = new CodeVerifier();
        State state = new State();
        Nonce nonceOfIdToken = new Nonce();
        URI pushed = push(new AuthenticationRequest.Builder(ResponseType.CODE, Scope.parse(scope), client, callback)
            .state(state)
            .nonce(nonceOfIdToken)
            .codeChallenge(verifier, CodeChallengeMethod.S256)
            .dPoPJWKThumbprintConfirmation(JWKThumbprintConfirmation.of(proofs.getPublicJWK()))
            .build());
        URI asked = new AuthorizationRequest.Builder(pushed, client).endpointURI(provider.getAuthorizationEndpointURI())
            .build().toURI();

        var landed = AuthenticationResponseParser.parse(URI.create(open("sign-up", asked))).toSuccessResponse();
        check(state.equals(landed.getState()), "state");
        check(provider.getIssuer().equals(landed.getIssuer()), "iss");

        var code = new AuthorizationCodeGrant(landed.getAuthorizationCode(), callback, verifier);
        OIDCTokens tokens = ((OIDCTokenResponse) tokens(code).toSuccessResponse()).getOIDCTokens();
        AccessToken access = tokens.getAccessToken();
        IDTokenClaimsSet claims = new IDTokenValidator(
            provider.getIssuer(), client, JWSAlgorithm.ES256, provider.getJWKSetURI().toURL())
            .validate(tokens.getIDToken(), nonceOfIdToken);
        AccessTokenValidator.validate(access, JWSAlgorithm.ES256, claims.getAccessTokenHash());
        URI endpoint = provider.getUserInfoEndpointURI();
        var userinfo = UserInfoResponse.parse(
            proved(() -> new UserInfoRequest(endpoint, access).toHTTPRequest(), access));
        var bearer = new BearerAccessToken(access.getValue());
        var asBearer = UserInfoResponse.parse(new UserInfoRequest(endpoint, bearer).toHTTPRequest().send());

        var refresh = tokens.getRefreshToken();
        AccessToken refreshed = tokens(new RefreshTokenGrant(refresh)).toSuccessResponse().getTokens().getAccessToken();
        var revoked = new TokenRevocationRequest(provider.getRevocationEndpointURI(), authentication(), refresh)
            .toHTTPRequest().send();
        check(revoked.getStatusCode() == 200, "revocation");

        tell(Map.of("done", Map.of(
            "claims", claims.toJSONObject(),
            "userinfo", userinfo.toSuccessResponse().getUserInfo().toJSONObject(),
            "token_type", access.getType().getValue(),
            "refreshed", refreshed.getType().getValue(),
            "as_bearer", asBearer.toErrorResponse().getErrorObject().getCode(),
            "nonces_asked", noncesAsked,
            "after_revocation", tokens(new RefreshTokenGrant(refresh)).toErrorResponse().getErrorObject().getCode(),
            "pushed_as", URLUtils.parseParameters(asked.getRawQuery()).keySet().stream().sorted().toList())));
    }

    private URI push(AuthorizationRequest request) throws Exception {
        URI endpoint = provider.getPushedAuthorizationRequestEndpointURI();
        HTTPRequest pushed = new PushedAuthorizationRequest(endpoint, authentication(), request).toHTTPRequest();
        return PushedAuthorizationResponse.parse(pushed.send()).toSuccessResponse().getRequestURI();
    }

    private TokenResponse tokens(AuthorizationGrant grant) throws Exception {
        URI endpoint = provider.getTokenEndpointURI();
        return OIDCTokenResponseParser.parse(proved(
            () -> new TokenRequest.Builder(endpoint, authentication(), grant).build().toHTTPRequest(), null));
    }

    /** A new assertion for each request: its jti counts once. It is aimed at the issuer (FAPI 2.0 §5.3.3.1). */
    private PrivateKeyJWT authentication() throws Exception {
        var claims = new JWTAuthenticationClaimsSet(client, new Audience(provider.getIssuer()));
        return new PrivateKeyJWT(claims, JWSAlgorithm.ES256, key.toPrivateKey(), key.getKeyID(), null);
    }

    /** Send with a proof, and once more with the nonce that the server wants to see in it (RFC 9449 §8, §9). */
    private HTTPResponse proved(Callable<HTTPRequest> request, AccessToken access) throws Exception {
        HTTPResponse answer = send(request.call(), access);
        if (answer.getStatusCode() < 400 || nonce == null || nonce.equals(shown)) {
            return answer;
        }
        noncesAsked++;
        return send(request.call(), access);
    }

    private HTTPResponse send(HTTPRequest request, AccessToken access) throws Exception {
        shown = nonce;
        request.setDPoP(proofs.createDPoPJWT(request.getMethod().name(), request.getURI(), access, nonce));
        HTTPResponse answer = request.send();
        nonce = answer.getDPoPNonce() == null ? nonce : answer.getDPoPNonce();
        return answer;
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException(what);
        }
    }

    private static String open(String what, URI url) throws Exception {
        tell(Map.of("open", what, "url", url.toString()));
        return (String) next().get("landed");
    }

    private static JSONObject next() throws Exception {
        return JSONObjectUtils.parse(LINES.readLine());
    }

    private static void tell(Map<String, ?> what) {
        System.out.println(JSONObject.toJSONString(what));
    }
}
