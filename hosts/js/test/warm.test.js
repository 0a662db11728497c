import assert from "node:assert/strict";
import { test } from "node:test";
import { warm } from "../src/warm.js";
import { module } from "./world.js";

test("warming runs a session's life", () => assert.equal(warm(module), 1));
