package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

// file is the configuration file. Its keys are the fields of mockidp.Config, which documents them.
type file struct {
	Org, Hint       string
	SessionLifetime duration
	MaxFailures     int
	Users           []user
	Groups          []mockidp.Group
	Apps            []app
	Attacks         []mockidp.StandingMutation // switched on from the start, as by -attack
}

type user struct {
	mockidp.User
	Status word[mockidp.UserStatus]
}

// duration is written as in Go: "8h", "90m".
type duration struct{ time.Duration }

func (d *duration) UnmarshalText(b []byte) (err error) {
	d.Duration, err = time.ParseDuration(string(b))
	return err
}

// load reads the file. An unknown key is an error, so that a misspelled one doesn't mean the default.
func load(path string) (c mockidp.Config, err error) {
	if path == "" {
		return c, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	var f file
	if err := d.Decode(&f); err != nil {
		line := 1 + bytes.Count(raw[:min(d.InputOffset(), int64(len(raw)))], []byte("\n"))
		return c, fmt.Errorf("%s: near line %d: %w", path, line, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return c, fmt.Errorf("%s: something follows the configuration", path)
	}
	c = mockidp.Config{
		Org: f.Org, Hint: f.Hint, SessionLifetime: f.SessionLifetime.Duration, MaxFailures: f.MaxFailures,
		Groups: f.Groups, StandingMutations: f.Attacks,
	}
	for _, u := range f.Users {
		u.User.Status = u.Status.value
		c.Users = append(c.Users, u.User)
	}
	for _, a := range f.Apps {
		app, err := a.app()
		if err != nil {
			return c, fmt.Errorf("%s: app %q: %w", path, a.Label, err)
		}
		c.Apps = append(c.Apps, app)
	}
	return c, nil
}
