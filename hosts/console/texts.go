package console

import (
	"reflect"
	"strings"
	"time"
)

// Texts are all words of the page. What is empty is English.
type Texts struct {
	Lang string // of the texts, as in HTML: "en"
	Dir  string // in which they are written: "ltr" or "rtl"

	Title          string
	Lead           string // below the title
	ThisDevice     string // beside the name of the device that shows the page
	Name           string // of a device, with {browser} and {system}
	UnknownBrowser string
	LastUsed       string
	FirstSeen      string
	Address        string
	UnknownAddress string
	LogOut         string
	LogOutOthers   string
	More           string // the link to further devices
	Alone          string // in place of LogOutOthers, where there are no others
	Ended          string // one was logged out
	EndedOthers    string // all others were
	Own            string // why the own device is not logged out
	BadForm        string // what was sent is no form of this page

	Time string         // a layout of package time, best without names of months
	Zone *time.Location // [UTC]
}

var english = Texts{
	Lang: "en", Dir: "ltr",
	Title:          "Devices",
	Lead:           "You are logged in on these devices. If you do not know one, log it out and change your password.",
	ThisDevice:     "this device",
	Name:           "{browser} on {system}",
	UnknownBrowser: "Unknown browser",
	LastUsed:       "Last used",
	FirstSeen:      "First seen",
	Address:        "Address",
	UnknownAddress: "unknown",
	LogOut:         "Log out",
	LogOutOthers:   "Log out all other devices",
	More:           "More devices",
	Alone:          "You are logged in on no other device.",
	Ended:          "That device is logged out.",
	EndedOthers:    "All other devices are logged out.",
	Own:            "This is the device that you are using. It was not logged out.",
	BadForm:        "The form could not be read. Nothing was done.",
	Time:           "2006-01-02 15:04 MST",
	Zone:           time.UTC,
}

// English returns the texts that stand for those that are empty.
func English() Texts { return english }

// filled puts English in the place of what is empty.
func (t Texts) filled() Texts {
	to, from := reflect.ValueOf(&t).Elem(), reflect.ValueOf(&english).Elem()
	for i := range to.NumField() {
		if to.Field(i).IsZero() {
			to.Field(i).Set(from.Field(i))
		}
	}
	return t
}

// When writes a time as Time and Zone say.
func (t Texts) When(at time.Time) string { return at.In(t.Zone).Format(t.Time) }

func (a Agent) name(t *Texts) string {
	browser := a.Browser
	if browser == "" {
		browser = t.UnknownBrowser
	}
	if a.System == "" {
		return browser
	}
	return strings.NewReplacer("{browser}", browser, "{system}", a.System).Replace(t.Name)
}
