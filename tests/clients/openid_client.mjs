// openid-client, the library that most Node relying parties use: a confidential client with Basic authentication.
import { next, open, refusal, tell } from './conversation.mjs'
import * as client from 'openid-client'

const setup = await next()
const config = await client.discovery(
  new URL(setup.issuer),
  setup.client_id,
  {},
  client.ClientSecretBasic(setup.client_secret),
  { execute: [client.allowInsecureRequests] }, // loopback only
)

const pkceCodeVerifier = client.randomPKCECodeVerifier()
const expectedState = client.randomState()
const expectedNonce = client.randomNonce()
const landed = await open(
  'sign-up',
  client.buildAuthorizationUrl(config, {
    redirect_uri: setup.redirect_uri,
    scope: setup.scope,
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  }),
)
const tokens = await client.authorizationCodeGrant(config, new URL(landed), {
  pkceCodeVerifier,
  expectedState,
  expectedNonce,
  idTokenExpected: true,
})
const claims = tokens.claims()
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token)
const last = refreshed.refresh_token ?? tokens.refresh_token
await client.tokenRevocation(config, last)
const after_revocation = await refusal(() => client.refreshTokenGrant(config, last))

const state = client.randomState()
const signed_out = await open(
  'sign-out',
  client.buildEndSessionUrl(config, {
    id_token_hint: tokens.id_token,
    post_logout_redirect_uri: setup.post_logout_redirect_uri,
    state,
  }),
)
tell({ done: { claims, userinfo, refreshed: Boolean(refreshed.access_token), after_revocation, signed_out, state } })
process.exit(0)
