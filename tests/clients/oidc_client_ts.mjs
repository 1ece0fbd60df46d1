// oidc-client-ts, the library that most single-page applications use: a public client, kept safe by PKCE alone.
import { next, open, refusal, tell } from './conversation.mjs'
import { InMemoryWebStorage, OidcClient, TokenClient, WebStorageStateStore } from 'oidc-client-ts'

const setup = await next()
const client = new OidcClient({
  authority: setup.issuer,
  client_id: setup.client_id,
  redirect_uri: setup.redirect_uri,
  post_logout_redirect_uri: setup.post_logout_redirect_uri,
  scope: setup.scope,
  loadUserInfo: true,
  stateStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
})

const request = await client.createSigninRequest({})
const landed = await open('sign-up', request.url)
const answer = await client.processSigninResponse(landed)
const before = { refresh_token: answer.refresh_token, id_token: answer.id_token, profile: answer.profile, scope: answer.scope }
const refreshed = await client.useRefreshToken({ state: { ...before, session_state: null, data: null } })
const tokens = new TokenClient(client.settings, client.metadataService)
await tokens.revoke({ token: refreshed.refresh_token, token_type_hint: 'refresh_token' })
const after_revocation = await refusal(() =>
  tokens.exchangeRefreshToken({ refresh_token: refreshed.refresh_token, scope: answer.scope }),
)

const leaving = await client.createSignoutRequest({ id_token_hint: answer.id_token, state: 'leaving' })
const signed_out = await open('sign-out', leaving.url)
const goodbye = await client.processSignoutResponse(signed_out)
tell({
  done: {
    claims: answer.profile,
    userinfo: answer.profile,
    refreshed: Boolean(refreshed.access_token),
    after_revocation,
    signed_out,
    state: new URL(signed_out).searchParams.get('state'),
    goodbye: goodbye.error,
  },
})
process.exit(0)
