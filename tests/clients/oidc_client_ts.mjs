// oidc-client-ts, the library that most single-page applications use: a public client, kept safe by PKCE alone.
import { next, open, refusal, tell } from './conversation.mjs'
import { InMemoryWebStorage, UserManager, WebStorageStateStore } from 'oidc-client-ts'

const setup = await next()
const kept = () => new WebStorageStateStore({ store: new InMemoryWebStorage() })
let wanted // where the library would send its window
const manager = new UserManager(
  {
    authority: setup.issuer,
    client_id: setup.client_id,
    redirect_uri: setup.redirect_uri,
    post_logout_redirect_uri: setup.post_logout_redirect_uri,
    scope: setup.scope,
    loadUserInfo: true,
    automaticSilentRenew: false,
    stateStore: kept(),
    userStore: kept(),
  },
  { prepare: async () => ({ navigate: async ({ url }) => (wanted = url), close: () => {} }), callback: async () => {} },
)

await manager.signinRedirect()
const user = await manager.signinCallback(await open('sign-up', wanted))
const first = { refresh_token: user.refresh_token, id_token: user.id_token }
const renewed = await manager.signinSilent() // with the refresh token
const after_rotation = renewed.refresh_token !== first.refresh_token
await manager.revokeTokens(['refresh_token'])
await manager.storeUser(Object.assign(await manager.getUser(), { refresh_token: renewed.refresh_token }))
const after_revocation = await refusal(() => manager.signinSilent())

await manager.signoutRedirect({ id_token_hint: first.id_token, state: 'leaving' })
const signed_out = await open('sign-out', wanted)
const goodbye = await manager.signoutCallback(signed_out)
tell({
  done: {
    claims: user.profile,
    userinfo: user.profile,
    refreshed: Boolean(renewed.access_token) && after_rotation,
    after_revocation,
    signed_out,
    state: new URL(signed_out).searchParams.get('state'),
    goodbye: goodbye?.error,
  },
})
process.exit(0)
