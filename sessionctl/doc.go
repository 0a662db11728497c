// Package sessionctl is the operator's command of the session library: it lists,
// ends, sweeps, exports and imports the sessions of any store, checks a store
// against its contract, makes keys, opens cookies, runs the gateway, and finds
// what is wrong with a setup. The author of a store has a command for it in a
// few lines:
//
//	func init() { stores.Register(stores.Driver{Schemes: []string{"pigeon"}, Open: open, Drop: drop}) }
//
//	func main() { sessionctl.Main() }
//
// cmd/sessionctl is that with the stores of this project. See docs/sessionctl.md.
package sessionctl
