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

// file is the configuration file. Its keys are the fields of mockidp.Config,
// whose documentation says what each means and what its absence means.
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
	Status word[mockidp.UserStatus] // "active", "lockedOut", "suspended", "deprovisioned" or "staged"
}

// duration is written as Go writes it: "8h", "90m".
type duration struct{ time.Duration }

func (d *duration) UnmarshalText(b []byte) (err error) {
	d.Duration, err = time.ParseDuration(string(b))
	return err
}

// load reads the file strictly: an unknown key is an error, so that a slip of
// the pen doesn't become a default.
func load(path string) (mockidp.Config, error) {
	if path == "" {
		return mockidp.Config{}, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return mockidp.Config{}, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	var f file
	if err := d.Decode(&f); err != nil {
		line := 1 + bytes.Count(raw[:min(d.InputOffset(), int64(len(raw)))], []byte("\n"))
		return mockidp.Config{}, fmt.Errorf("%s: near line %d: %w", path, line, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return mockidp.Config{}, fmt.Errorf("%s: something follows the configuration", path)
	}
	c, err := f.config()
	if err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func (f file) config() (mockidp.Config, error) {
	c := mockidp.Config{
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
			return c, err
		}
		c.Apps = append(c.Apps, app)
	}
	return c, nil
}
