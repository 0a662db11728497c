module github.com/rockstar-web/sessions/hosts/migrate/gorilla

go 1.26.0

require github.com/rockstar-web/sessions v0.1.0

require github.com/gorilla/securecookie v1.1.2
