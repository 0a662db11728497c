// Package coalesce is for stores that have a server or a disk: it makes the calls
// of many requests at once into few commands of the store. [New] puts a [Store]
// before a [Backend], which is a hosts.Store that can load and save many records
// in one command.
//
//	gathered, err := coalesce.New(backend, coalesce.Options{})
//	manager, err := hosts.New(gathered, hosts.Config{Key: key})
//
// The stores of package dbstore, of cachestore/redis and of fsstore have it inside.
// store.go is what callers see, options.go its bounds; lane.go, line.go, await.go
// and work.go are the way of a call to its answer.
package coalesce
