package console_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/rockstar-web/sessions/hosts/console"
	"github.com/stretchr/testify/require"
)

// TestDeviceOf has what the browsers send, as they document it.
func TestDeviceOf(t *testing.T) {
	const mac, win, linux = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) ", "Mozilla/5.0 (X11; Linux x86_64) "
	const droid, kit, chrome = "Mozilla/5.0 (Linux; Android 10; K) ", "AppleWebKit/537.36 (KHTML, like Gecko) ", "Chrome/140.0.0.0 "
	const iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	for userAgent, want := range map[string]string{
		mac + kit + chrome + "Safari/537.36":                                                      "Chrome on macOS",
		win + kit + chrome + "Safari/537.36":                                                      "Chrome on Windows",
		droid + kit + chrome + "Mobile Safari/537.36":                                             "Chrome on Android",
		iphone + "CriOS/140.0.7339.39 Mobile/15E148 Safari/604.1":                                 "Chrome on iPhone",
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) " + kit + chrome + "Safari/537.36":              "Chrome on ChromeOS",
		linux + kit + "HeadlessChrome/140.0.0.0 Safari/537.36":                                    "Chrome on Linux",
		win + kit + chrome + "Safari/537.36 Edg/140.0.0.0":                                        "Edge on Windows",
		droid + kit + chrome + "Mobile Safari/537.36 EdgA/140.0.0.0":                              "Edge on Android",
		win + kit + chrome + "Safari/537.36 OPR/121.0.0.0":                                        "Opera on Windows",
		linux + kit + chrome + "Safari/537.36 Vivaldi/7.5":                                        "Vivaldi on Linux",
		droid + kit + "SamsungBrowser/28.0 " + chrome + "Mobile Safari/537.36":                    "Samsung Internet on Android",
		win + kit + chrome + "YaBrowser/25.8.0.0 Safari/537.36":                                   "Yandex Browser on Windows",
		mac + "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15 Ddg/18.6":    "DuckDuckGo on macOS",
		"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":          "Firefox on Linux",
		"Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0":                    "Firefox on Android",
		iphone + "FxiOS/140.0 Mobile/15E148 Safari/605.1.15":                                      "Firefox on iPhone",
		mac + "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15":             "Safari on macOS",
		iphone + "Version/18.6 Mobile/15E148 Safari/604.1":                                        "Safari on iPhone",
		"Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) Version/12.1.2 Mobile/15E148 Safari/604.1": "Safari on iPad",
		"Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko":                   "Internet Explorer on Windows",
		"Mozilla/5.0 (X11; FreeBSD amd64; rv:140.0) Gecko/20100101 Firefox/140.0":                 "Firefox on FreeBSD",
		"Firefox/140.0":             "Firefox",
		"":                          "Unknown browser",
		"curl/8.5.0":                "Unknown browser",
		"NotFirefox/1.0 Firefoxes":  "Unknown browser",
		linux + "Something/1":       "Unknown browser on Linux",
		"\u202eFirefox/1 (Windows)": "Unknown browser on Windows",
		strings.Repeat("🦊", 128) + " Firefox/1": "Unknown browser",
		strings.Repeat("(", 1<<20):              "Unknown browser",
	} {
		require.Equal(t, want, console.DeviceOf(userAgent), userAgent[:min(len(userAgent), 99)])
	}
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"Mozilla/5.0 (X11)":                          "Mozilla/5.0 (X11)",
		"a\x1b[31m\x00\x07\r\nb":                     "a�[31m�b",
		"evil\u202e\u2066gpj.exe":                    "evil�gpj.exe",
		"z\u0300\u0301\u0302algo":                    "z�algo",
		strings.Repeat("🦊", 63):                      "�",
		"\xff\xfe":                                   "�",
		strings.Repeat("x", 255):                     strings.Repeat("x", 160) + "…",
		strings.Repeat("x", 160):                     strings.Repeat("x", 160),
		strings.Repeat("x", 159) + "🦊" + "and so on": strings.Repeat("x", 159) + "�…",
	} {
		require.Equal(t, want, console.Printable(text))
	}
}

func FuzzUserAgent(f *testing.F) {
	f.Add("Mozilla/5.0 (X11; Linux x86_64) Chrome/1")
	f.Fuzz(func(t *testing.T, text string) {
		for _, shown := range []string{console.DeviceOf(text), console.Printable(text)} {
			require.LessOrEqual(t, len(shown), 170)
			for _, r := range shown {
				require.True(t, unicode.IsPrint(r), shown)
			}
		}
	})
}
