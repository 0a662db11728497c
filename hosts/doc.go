// Package hosts has the [Manager] of sessions and the contract of a [Store]. A
// manager carries out, with a store, what package core decides. Its methods load,
// save and log out sessions (Create, Save, SetCookie, Destroy, Refresh, Login,
// Renew), change single values (Get, Set, Add, Update, Take), and list and revoke
// sessions (Sessions, Revoke).
//
//	manager, err := hosts.New(store, hosts.Config{Key: key})
//	defer manager.Close()
//	n, err := manager.Add(ctx, id, "logins", 1) // all additions count
//
// # Programs
//
// With net/http, package hosts/nethttp gives handlers their sessions. Use the manager
// for the rest: lists, devices, "sign out everywhere", jobs. Every method takes a
// context. The context of a request identifies the visitor, and limits the method
// to the visitor's tenant. Any other context acts for no tenant in particular.
// Within a request the manager's methods and the middleware share one session: each
// sees what the other did.
//
// # Frameworks
//
// Package hosts/nethttp is the middleware for net/http; hosts/gin, hosts/echo and
// hosts/fiber run a framework's handlers inside of it. For a server with none of
// these, fill in a Request for each request, attach it with [Manager.Attach], pass it
// to handlers as their context, and close it. A middleware of your own also needs [Manager.Resume], [Manager.New] and
// [Manager.Commit], which work on the core's sessions, and [Manager.Failed] and
// [Manager.Lost], which report to the operator; applications do not.
//
// # Stores
//
// [Store] is the contract, with the optional interfaces [Sweeper], [Finder] and
// [Batcher]. Package conformance tests whether a store keeps it, and package
// hosts/coalesce gathers concurrent calls into few commands.
//
// # What is where
//
// The files of this folder, by the first word of their names:
//   - contract: what a store and an engine have to do, and what their errors mean;
//   - config: [Config], from a program or the environment, and keys;
//   - manager: the [Manager], and its work over all sessions, cleanup, lists, Revoke;
//     what it draws randomness from, and how it reports a store that fails;
//   - request: one request with its cookies, from Resume to Commit;
//   - session: a [Session] and the methods for login, logout and values;
//   - commit: the way of a change into the store: the attempt, and the queue of those
//     that met a conflict;
//   - events: what is reported of all that.
//
// hosts/values turns the values of programs into the bytes of a session. The other
// folders bring a manager to where requests come from: hosts/nethttp to net/http,
// hosts/gateway before servers in any language, hosts/wazero and hosts/js with the
// core as WebAssembly.
package hosts
