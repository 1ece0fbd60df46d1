// openid-client by the FAPI 2.0 profile: pushed requests, private_key_jwt, tokens bound to a key (DPoP).
import { next, open, refusal, tell } from './conversation.mjs'
import * as client from 'openid-client'

const setup = await next()
const curve = { name: 'ECDSA', namedCurve: 'P-256' }
const key = await crypto.subtle.importKey('jwk', setup.key, curve, false, ['sign'])
const config = await client.discovery(
  new URL(setup.issuer),
  setup.client_id,
  { id_token_signed_response_alg: 'ES256' },
  client.PrivateKeyJwt({ key, kid: setup.key.kid }),
  { execute: [client.allowInsecureRequests] }, // loopback only
)
const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))

const pkceCodeVerifier = client.randomPKCECodeVerifier()
const expectedState = client.randomState()
const expectedNonce = client.randomNonce()
const pushed = await client.buildAuthorizationUrlWithPAR(
  config,
  {
    redirect_uri: setup.redirect_uri,
    scope: setup.scope,
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  },
  { DPoP },
)
const landed = await open('sign-up', pushed)
const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true }
const tokens = await client.authorizationCodeGrant(config, new URL(landed), checks, undefined, { DPoP })
const claims = tokens.claims()
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub, { DPoP })
const as_bearer = await refusal(() => client.fetchUserInfo(config, tokens.access_token, claims.sub))
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP })
const last = refreshed.refresh_token ?? tokens.refresh_token
await client.tokenRevocation(config, last)
const after_revocation = await refusal(() => client.refreshTokenGrant(config, last, undefined, { DPoP }))

const pushed_as = [...pushed.searchParams.keys()].sort()
const done = { claims, userinfo, token_type: tokens.token_type, refreshed: refreshed.token_type, as_bearer }
tell({ done: { ...done, after_revocation, pushed_as } })
process.exit(0)
