// openid-client asking for people who are at another device: device authorization, then CIBA.
import { next, open, tell } from './conversation.mjs'
import * as client from 'openid-client'

const setup = await next()
const config = await client.discovery(
  new URL(setup.issuer),
  setup.client_id,
  {},
  client.ClientSecretBasic(setup.client_secret),
  { execute: [client.allowInsecureRequests] }, // loopback only
)
const soon = { interval: 0.1 } // the person has answered by then

const device = await client.initiateDeviceAuthorization(config, { scope: setup.scope })
await open('connect', device.verification_uri_complete)
const tokens = await client.pollDeviceAuthorizationGrant(config, { ...device, ...soon })
const claims = tokens.claims()
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub)

const asked = await client.initiateBackchannelAuthentication(config, {
  scope: 'openid',
  login_hint: setup.email,
  binding_message: setup.binding_message,
})
await open('answer', device.verification_uri)
const called = await client.pollBackchannelAuthenticationGrant(config, { ...asked, ...soon })
tell({ done: { claims, userinfo, called: called.claims() } })
process.exit(0)
