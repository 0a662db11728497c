// Package demo is a small web application with sessions: pages for people and
// the same as a JSON API for scripts. It uses the library as any application
// would, and shows how little there is to do.
package demo
