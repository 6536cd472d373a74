package redisstore

import (
	"crypto/sha1"
	"embed"
	"encoding/hex"
)

//go:embed scripts
var sources embed.FS

// script is Lua that Redis runs as one step.
type script struct{ source, sum string }

var (
	scriptAdd         = newScript("add")
	scriptAddRequest  = newScript("add_request")
	scriptTakeRequest = newScript("take_request")
	scriptMark        = newScript("mark")
)

func newScript(name string) script {
	source := ""
	for _, part := range []string{"prelude", name} {
		text, err := sources.ReadFile("scripts/" + part + ".lua")
		if err != nil {
			panic(err) // the program was built without its scripts
		}
		source += string(text)
	}
	sum := sha1.Sum([]byte(source)) // by which evalsha names it
	return script{source: source, sum: hex.EncodeToString(sum[:])}
}
