module github.com/rockstar-web/sessions/hosts/echo

go 1.26.0

require github.com/rockstar-web/sessions v0.1.0

require github.com/labstack/echo/v5 v5.4.5
