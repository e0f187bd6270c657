#include "ui/plan.h"

#include "base/text.h"
#include "ui/json.h"
#include "ui/width.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::ui {

static std::string step_text(size_t number, const PlanStep& step) {
    std::string out =
        fmt::format("{:>3}. {}{}\n", number, cell(step.action), step.guest_paused ? "  [guest paused]" : "");
    for (const auto& file : step.files)
        out += fmt::format("       {}\n", cell(file));
    return out;
}

std::string plan_text(const PlanView& plan) {
    std::string out = fmt::format("Plan of {}:\n", cell(plan.operation));
    bool said = false;
    for (size_t i = 0; i < plan.steps.size(); ++i) {
        if (plan.steps[i].point_of_no_return && !std::exchange(said, true))
            out += i == 0 ? "     ---- a failure from here on is finished, not undone ----\n"
                          : "     ---- up to here a failure is undone; from here on it is finished ----\n";
        out += step_text(i + 1, plan.steps[i]);
    }
    if (!plan.guest.empty()) out += fmt::format("Guest:    {}\n", cell(plan.guest));
    out += fmt::format("Space:    {}\n",
                       plan.space ? "up to " + text::human_size(plan.space) : "next to nothing");
    for (const auto& warning : plan.warnings)
        out += fmt::format("Warning:  {}\n", cell(warning));
    for (const auto& task : plan.afterwards)
        out += fmt::format("Then:     {}\n", cell(task));
    return out + "Nothing has been changed.\n";
}

std::string plan_json(const PlanView& plan) {
    Json steps = Json::array();
    for (const auto& step : plan.steps)
        steps.push_back({{"action", step.action},
                         {"files", step.files},
                         {"guestPaused", step.guest_paused},
                         {"pointOfNoReturn", step.point_of_no_return}});
    return json_text({{"operation", plan.operation},
                      {"steps", steps},
                      {"guest", plan.guest},
                      {"space", plan.space},
                      {"warnings", plan.warnings},
                      {"afterwards", plan.afterwards}});
}

} // namespace domsnap::ui
