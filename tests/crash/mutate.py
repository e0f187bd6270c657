#!/usr/bin/env python3
"""Writes src/engine/runner.cpp with one mistake in it, once for each mistake: mutate.py RUNNER OUTPUT. $MISTAKE chooses at
run time. A crash test that does not catch the mistake tests nothing. When the runner is rewritten, the mistakes must be
made anew: a text that is not there once is an error."""
import pathlib
import sys

MISTAKES = {
    "no-begun-mark": ("    journal.mark(StepMark::begun, step);\n", "    static_cast<void>(journal);\n"),
    # That a step is begun says that those before it are done: not known here, so that all of them are done again.
    "done-is-not-implied": ("Progressed state{0, store::steps_done(journal),", "Progressed state{0, 0 * store::steps_done(journal),"),
    # The step in doubt is taken for done, without asking the world by doing it again.
    "no-probe": ("go_forward(world, journal, plan, state.done)", "go_forward(world, journal, plan, state.begun)"),
    "missing-undo": ("if (undone[step] || ", "if (step == 0 || undone[step] || "),
    "undo-in-order": ("for (uint32_t step = count; step-- > 0;) {", "for (uint32_t step = 0; step < count; ++step) {"),
    "half-a-step-stays": ("foreign ? failed : failed + 1", "foreign ? failed : failed"),
    "journal-removed-early": (
        "            check_cancel(plan, step, control);\n",
        "            check_cancel(plan, step, control);\n            if (step + 1 == plan.steps.size()) os::remove_file_durably(journal.path());\n",
    ),
    "point-of-no-return-off-by-one": (
        "return step < plan.point_of_no_return ||",
        "return step < plan.point_of_no_return + 2 ||",
    ),
}


DISPATCH = """
#include <cstdlib>
namespace domsnap::engine {
namespace {
bool chosen(const char* name) {
    const char* const mistake = std::getenv("MISTAKE");
    return mistake && std::string(mistake) == name;
}
} // namespace
void run_plan(World& world, const plan::Plan& plan, const std::string& path, const Control& control) {
%s    std::abort();
}
bool run_plan_to_capture(World& world, const plan::Plan& plan, const std::string& path, const Control& control) {
%s    std::abort();
}
void continue_plan(World& world, const std::string& path, const Control& control) {
%s    std::abort();
}
std::vector<std::string> recover_plan(World& world, const std::string& path) {
%s    std::abort();
}
std::vector<std::string> recover(Session& session) {
%s    std::abort();
}
} // namespace domsnap::engine
"""


def mutant(name, text):
    """In a namespace of its own; what it includes stays outside."""
    right, wrong = MISTAKES[name]
    if text.count(right) != 1:
        sys.exit(f"{right!r} is there {text.count(right)} times: make the mistake '{name}' anew")
    text = text.replace(right, wrong)
    assert text.count("namespace domsnap::engine {") == 1
    text = text.replace("recover_plan(*world", f"{identifier(name)}::recover_plan(*world")
    return text.replace("namespace domsnap::engine {", f"namespace domsnap::engine::{identifier(name)} {{")


def identifier(name):
    return name.replace("-", "_")


def main():
    runner, output = sys.argv[1:]
    text = pathlib.Path(runner).read_text()
    calls = ["run_plan(world, plan, path, control)", "run_plan_to_capture(world, plan, path, control)",
             "continue_plan(world, path, control)", "recover_plan(world, path)", "recover(session)"]
    choices = ["".join(f'    if (chosen("{name}")) return {identifier(name)}::{call};\n' for name in MISTAKES) for call in calls]
    pathlib.Path(output).write_text("\n".join(mutant(name, text) for name in MISTAKES) + DISPATCH % tuple(choices))


main()
