module github.com/rockstar-web/sessions/hosts/migrate/scs

go 1.26.0

require github.com/rockstar-web/sessions v0.1.0

require github.com/alexedwards/scs/v2 v2.9.0
