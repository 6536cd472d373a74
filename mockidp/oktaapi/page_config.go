package oktaapi

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/configfile"
)

func configPageRoutes(get, post pageRouter) {
	get("/configuration", func(v *visit) { v.configPage(http.StatusOK, "") })
	get("/configuration/file", func(v *visit) {
		file, err := v.configuration(v.r.URL.Query().Get("keys") != "")
		if err != nil {
			v.configPage(http.StatusInternalServerError, sentence(plain(err)))
			return
		}
		v.download("mockidp.json", "application/json", file)
	})
	// An import asks before it replaces what is there: the first form checks the file, the second one sends it again.
	post("/configuration", func(v *visit) { v.importConfig((*mockidp.Server).CheckReplace, v.confirmImport) })
	post("/configuration/replace", func(v *visit) {
		v.importConfig((*mockidp.Server).Replace, func(string, mockidp.Config) { v.to("/configuration", "imported") })
	})
}

type configView struct{ Problem string }

func (v *visit) configPage(status int, problem string) {
	v.render(status, "configuration", page{Title: "Configuration", Here: "/configuration", Body: configView{problem}})
}

// importConfig reads the configuration that was uploaded or pasted, and does something with it.
func (v *visit) importConfig(do func(*mockidp.Server, mockidp.Config) error, then func(string, mockidp.Config)) {
	text, err := v.sentConfig()
	var c mockidp.Config
	if err == nil {
		c, err = configfile.Read([]byte(text))
	}
	if err == nil {
		err = do(v.idp, c)
	}
	if err != nil {
		v.form.Set("text", text) // also that of a file, so that it can be corrected
		v.configPage(http.StatusUnprocessableEntity, sentence(plain(err)))
		return
	}
	then(text, c)
}

// sentConfig returns the file, or else the text.
func (v *visit) sentConfig() (string, error) {
	if f, _, err := v.r.FormFile("file"); err == nil {
		defer f.Close()
		b, err := io.ReadAll(f) // the form is bounded
		if err != nil || len(b) > 0 {
			return string(b), err
		}
	}
	text := v.form.Get("text")
	if strings.TrimSpace(text) == "" {
		return text, &mockidp.Error{Reason: mockidp.ReasonConfig, Detail: "choose a file, or paste its text"}
	}
	return text, nil
}

func (v *visit) confirmImport(text string, c mockidp.Config) {
	count := func(n int, one, many, none string) string {
		switch n {
		case 0:
			return none
		case 1:
			return "1 " + one
		}
		return fmt.Sprintf("%d %s", n, many)
	}
	keys := "The keys stay."
	if c.Key != nil || len(c.Keys) > 0 {
		keys = "The keys are replaced: " + count(len(c.Keys)+1, "key", "keys", "") + "."
	}
	v.confirm("/configuration", "Replace the configuration?", confirmView{
		Text: "All users, groups, apps, attacks and faults are replaced. This can't be undone.",
		Items: []string{
			fmt.Sprintf("%s instead of %d", count(len(c.Users), "user", "users", "The default user"), len(v.Users())),
			fmt.Sprintf("%s instead of %d", count(len(c.Groups), "group", "groups", "The users' groups"), len(v.Groups())),
			fmt.Sprintf("%s instead of %d", count(len(c.Apps), "app", "apps", "The example app"), len(v.Apps())),
			keys, "The organisation's name and other settings of the program stay."},
		Action: "/configuration/replace", Button: "Replace", Back: "/configuration", File: true,
		Fields: map[string]string{"text": text}})
}
