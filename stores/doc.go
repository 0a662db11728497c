// Package stores opens a store by its name, such as "file:./sessions" or
// "redis://localhost:6379", for commands and config files. It knows memory: and
// files; import _ "github.com/rockstar-web/sessions/stores/all" adds SQLite,
// PostgreSQL, MySQL and Redis with their drivers, and [Register] adds a store of
// your own. A program that needs one store imports that store's package alone.
package stores
