package browser

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

const (
	plainName  = "rockstar_session"
	secureName = "__Host-rockstar_session"
	aDay       = 24 * time.Hour
)

// signIn is signInAs of alice.
func (b *browser) signIn(site string, remember bool) {
	b.t.Helper()
	b.signInAs(site, "alice", "wonderland", remember)
}

// signInAs fills in the form as a visitor does.
func (b *browser) signInAs(site, user, password string, remember bool) {
	b.t.Helper()
	b.open(site + "/signin")
	b.do(chromedp.SendKeys("input[name=user]", user), chromedp.SendKeys("input[name=password]", password))
	if remember {
		b.do(chromedp.Click("input[name=remember]"))
	}
	status, text := b.load(chromedp.Submit("input[name=password]"))
	require.EqualValues(b.t, 200, status)
	require.Contains(b.t, text, user)
}

func (b *browser) signedIn(site string) bool {
	b.t.Helper()
	text := b.open(site + "/session")
	require.NotEqual(b.t, strings.Contains(text, "Sign in"), strings.Contains(text, "Sign out"), text)
	return strings.Contains(text, "Sign out")
}

// Sign in, reload, look at the cookie, and sign two tabs out by one.
func story(t *testing.T, site, name string, secure bool) {
	b := visitor(t)
	require.Nil(t, b.cookie(name))
	require.False(t, b.signedIn(site))
	require.Nil(t, b.cookie(name), "a visitor who only looks gets no cookie")

	b.signIn(site, false)
	c := b.cookie(name)
	require.NotNil(t, c)
	require.True(t, c.HTTPOnly)
	require.Equal(t, secure, c.Secure)
	require.Equal(t, network.CookieSameSiteLax, c.SameSite)
	require.Equal(t, "/", c.Path)
	require.True(t, c.Session, "without remember me it ends with the browser")
	require.Len(t, c.Value, 124)
	require.NotContains(t, c.Value, "alice")
	seen, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.cookie"))
	require.NoError(t, err)
	require.Empty(t, seen, "scripts see nothing of it")

	_, text := b.load(chromedp.Reload())
	require.Contains(t, text, "alice")
	require.Equal(t, c.Value, b.cookie(name).Value, "reading sends no cookie")

	other := b.tab()
	require.True(t, other.signedIn(site))
	status, _ := b.load(chromedp.Submit(`form[action="/signout"]`))
	require.EqualValues(t, 200, status)
	require.Nil(t, b.cookie(name), "the browser has let go of it")
	require.False(t, other.signedIn(site), "signed out in the other tab, too")
	require.False(t, b.signedIn(site))
}

// TestTheEndLeadsBack: who is signed out in another tab comes back to the page that
// they were on.
func TestTheEndLeadsBack(t *testing.T) {
	site := demo(t)
	b := visitor(t)
	b.signIn(site, false)
	other := b.tab()
	b.open(site + "/notes")
	b.waitFor(unasked)
	other.open(site + "/session")
	other.load(chromedp.Submit(`form[action="/signout"]`))
	b.do(chromedp.Evaluate[chromedp.Void](`document.dispatchEvent(new Event("visibilitychange"))`)) // it asks at once
	b.waitFor(says("Your session has ended."))
	b.load(chromedp.Click("#session-box a"))
	b.do(chromedp.SendKeys("input[name=user]", "alice"), chromedp.SendKeys("input[name=password]", "wonderland"))
	_, text := b.load(chromedp.Submit("input[name=password]"))
	require.Contains(t, text, "A new note")
}

func TestPlain(t *testing.T) {
	story(t, demo(t), plainName, false)
}

func TestHTTPS(t *testing.T) {
	cert, key := certificate(t)
	story(t, demo(t, "--https", "--cert", cert, "--key", key), secureName, true)
}

// Remembered sessions outlive the browser; plain ones do not.
func TestRestart(t *testing.T) {
	site := demo(t)
	for _, remember := range []bool{false, true} {
		profile := t.TempDir()
		b := launch(t, profile)
		b.signIn(site, remember)
		c := b.cookie(plainName)
		require.NotNil(t, c)
		require.Equal(t, !remember, c.Session)
		if remember {
			ends := time.Unix(int64(c.Expires), 0)
			require.WithinDuration(t, time.Now().Add(30*aDay), ends, time.Hour)
		}
		b.end()
		again := launch(t, profile)
		require.Equal(t, remember, again.signedIn(site))
		again.end()
	}
}

// A logout under a deep path reaches the cookie at /.
func TestMission(t *testing.T) {
	t.Run("browser/46", func(t *testing.T) {
		site := demo(t)
		b := visitor(t)
		b.signIn(site, true)
		require.NotNil(t, b.cookie(plainName))
		b.open(site + "/session")
		_, text := b.load(
			chromedp.Evaluate[chromedp.Void](`(() => {
				const form = document.createElement('form');
				form.method = 'post';
				form.action = '/api/logout';
				document.body.append(form);
				form.submit();
			})()`),
		)
		require.Contains(t, text, "Logged out")
		require.Nil(t, b.cookie(plainName))
		require.False(t, b.signedIn(site))
	})
}

// certificate makes a certificate for 127.0.0.1, for this test alone.
func certificate(t *testing.T) (certFile, keyFile string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(aDay), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	write := func(name, kind string, bytes []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}), 0o600))
		return path
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", private)
}
