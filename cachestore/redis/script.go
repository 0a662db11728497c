package redis

import (
	_ "embed"

	"github.com/redis/rueidis"
)

// script is a Lua script that the server keeps by the SHA-1 of its text. The
// sums are written here because programs under FIPS 140-3 may not compute them.
type script struct{ text, sum string }

var (
	//go:embed save.lua
	saveText string
	//go:embed delete.lua
	deleteText string
	//go:embed clean.lua
	cleanText string

	saveScript   = script{saveText, "9edee90568a8c03903e700faf87c56f416648ec4"}
	deleteScript = script{deleteText, "15ae7a63d1237b97c720df03698b96d7bbe0a2b9"}
	cleanScript  = script{cleanText, "ba62de6d9758e8439b7071d5ba86d17aaf856bfa"}
)

// job is one run of a script. Its first key is a record's, all are of one shard
// if the server is a cluster.
type job struct {
	script *script
	keys   []string
	args   []string
}

// command is the job by the name of its script, or with its text.
func (s *server) command(j *job, whole bool) rueidis.Completed {
	b := s.client.B()
	if whole {
		return b.Eval().Script(j.script.text).Numkeys(int64(len(j.keys))).Key(j.keys...).Arg(j.args...).Build()
	}
	return b.Evalsha().Sha1(j.script.sum).Numkeys(int64(len(j.keys))).Key(j.keys...).Arg(j.args...).Build()
}

// run sends all jobs at once, and those again whose script the server does not
// know, with its text: nothing of them was done. Nothing else is sent twice.
func (s *server) run(t *turn, jobs []job) []rueidis.RedisResult {
	results := s.send(t, jobs, false)
	var again []int
	var missing []job
	for i, r := range results {
		if unknownScript(r) {
			again, missing = append(again, i), append(missing, jobs[i])
		}
	}
	if again != nil {
		for i, r := range s.send(t, missing, true) {
			results[again[i]] = r
		}
	}
	if s.o.Cache > 0 {
		if err := s.forget(t, jobs); err != nil {
			for i := range results {
				results[i] = rueidis.NewErrorResult(err)
			}
		}
	}
	return results
}

func (s *server) send(t *turn, jobs []job, whole bool) []rueidis.RedisResult {
	if len(jobs) == 1 {
		return []rueidis.RedisResult{s.client.Do(t, s.command(&jobs[0], whole))}
	}
	commands := make([]rueidis.Completed, len(jobs))
	for i := range jobs {
		commands[i] = s.command(&jobs[i], whole)
	}
	return s.client.DoMulti(t, commands...)
}

func unknownScript(r rueidis.RedisResult) bool {
	answer, ok := rueidis.IsRedisErr(r.Error())
	return ok && answer.IsNoScript()
}
