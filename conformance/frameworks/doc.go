// Package frameworks is one table of behaviours for sessions in web frameworks:
// an adapter's test says how an application is built with its framework, and Run
// holds it to what net/http gives.
//
//	func TestGin(t *testing.T) { frameworks.Run(t, frameworks.Framework{Serve: serve, Remedy: "ginsessions.New"}) }
//
// All of it happens between real servers and real clients, over TCP.
package frameworks
