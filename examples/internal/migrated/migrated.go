// Package migrated builds the programs of crewjam/saml after the steps of MIGRATING.md, for tests.
package migrated

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// Blocks returns the code blocks of a page, by their language.
func Blocks(page string) (map[string][]string, error) {
	text, err := os.ReadFile(page)
	if err != nil {
		return nil, err
	}
	out := make(map[string][]string)
	for _, m := range regexp.MustCompile("(?s)```([a-z]+)\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		out[m[1]] = append(out[m[1]], m[2])
	}
	return out, nil
}

// Guide returns the blocks of MIGRATING.md. root is the module's directory.
func Guide(root string) (map[string][]string, error) {
	return Blocks(filepath.Join(root, "acs", "samlspcompat", "MIGRATING.md"))
}

// README returns the program in the README of crewjam/saml.
func README(root string) (string, error) {
	dir, err := crewjam(root)
	if err != nil {
		return "", err
	}
	blocks, err := Blocks(filepath.Join(dir, "README.md"))
	if err != nil {
		return "", err
	}
	program, err := With(blocks["golang"], "samlsp.New(samlsp.Options{")
	return program, err
}

// Trivial returns the program example/trivial of crewjam/saml.
func Trivial(root string) (string, error) {
	dir, err := crewjam(root)
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(dir, "example", "trivial", "trivial.go"))
	return string(text), err
}

func crewjam(root string) (string, error) {
	out, err := run(root, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/crewjam/saml")
	return strings.TrimSpace(string(out)), err
}

// With returns the one whole program among some blocks that has a text.
func With(blocks []string, text string) (string, error) {
	var found []string
	for _, b := range blocks {
		if strings.Contains(b, "func main()") && strings.Contains(b, text) {
			found = append(found, b)
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%d programs have %q, want 1", len(found), text)
	}
	return found[0], nil
}

// Migrate runs a script in a folder with a program's main.go, and returns what that is then.
func Migrate(dir, source, script string) (string, error) {
	file := filepath.Join(dir, "main.go")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		return "", err
	}
	if _, err := run(dir, "sh", "-ec", script); err != nil {
		return "", err
	}
	changed, err := os.ReadFile(file)
	return string(changed), err
}

// Build builds a program as a package of this module that listens at a port of loopback, and returns its file. The
// programs say 8000 everywhere.
func Build(root, dir, source, port string) (string, error) {
	for _, at := range []string{`"localhost:8000"`, `":8000"`} {
		source = strings.ReplaceAll(source, at, `"127.0.0.1:`+port+`"`)
	}
	source = strings.ReplaceAll(source, "localhost:8000", "localhost:"+port)
	file, overlay := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	program := filepath.Join(dir, "program")
	content, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(root, "examples", "migrated", "main.go"): file,
	}})
	if err != nil {
		return "", err
	}
	for name, text := range map[string][]byte{file: []byte(source), overlay: content} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			return "", err
		}
	}
	_, err = run(root, "go", "build", "-overlay", overlay, "-o", program, "./examples/migrated")
	return program, err
}

func run(dir, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", cmd, err, &stderr)
	}
	return out, err
}
