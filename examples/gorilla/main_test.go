package main

import (
	"testing"

	"github.com/rockstar-web/sessions/examples/internal/click"
)

func TestMain(m *testing.M) { click.Main(m, main) }

func TestStory(t *testing.T) { click.Start(t).Story() }
