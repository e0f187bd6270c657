#include "ui/jobs.h"

#include "ui/json.h"
#include "ui/width.h"

#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::ui {

static const char* word(const JobInfo& job, bool capital) {
    switch (job.state) {
    case JobInfo::State::running:
        return capital ? "Unbounded" : "unbounded";
    case JobInfo::State::completed:
        return capital ? "Completed" : "completed";
    case JobInfo::State::failed:
        return capital ? "Failed" : "failed";
    case JobInfo::State::cancelled:
        return capital ? "Cancelled" : "cancelled";
    }
    return "none";
}

/// Padded as virsh pads it.
static std::string field(const char* name, const std::string& value) {
    return fmt::format("{:<17} {}\n", std::string(name) + ":", value);
}
static std::string word_field(const char* name, const std::string& value) {
    return field(name, fmt::format("{:<12}", value));
}

static std::string capacity(uint64_t bytes) {
    static constexpr std::array units = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    auto value = static_cast<double>(bytes);
    size_t unit = 0;
    for (; value >= 1024 && unit + 1 < units.size(); ++unit)
        value /= 1024;
    return fmt::format("{:.3f} {}", value, units[unit]);
}

static std::string three(const std::string& of, const JobInfo& job) {
    return field((of + " processed").c_str(), capacity(job.memory_done)) +
           field((of + " remaining").c_str(), capacity(job.memory_total - job.memory_done)) +
           field((of + " total").c_str(), capacity(job.memory_total));
}

std::string job_text(const std::optional<JobInfo>& job) {
    if (!job) return word_field("Job type", "None");
    std::string text = word_field("Job type", word(*job, true)) + word_field("Operation", "Snapshot") +
                       field("Time elapsed", fmt::format("{:<12} ms", job->elapsed_ms));
    if (job->memory_total > 0) text += three("Data", *job) + three("Memory", *job);
    if (!job->error.empty()) text += field("Error message", cell(job->error));
    return text;
}

std::string job_json(const std::string& domain, const std::optional<JobInfo>& job) {
    if (!job) return json_text({{"domain", domain}, {"type", "none"}});
    return json_text({{"domain", domain},
                      {"type", word(*job, false)},
                      {"operation", "snapshot"},
                      {"snapshot", job->snapshot.empty() ? Json() : Json(job->snapshot)},
                      {"timeElapsed", job->elapsed_ms},
                      {"memoryProcessed", job->memory_done},
                      {"memoryTotal", job->memory_total},
                      {"error", job->error.empty() ? Json() : Json(job->error)}});
}

} // namespace domsnap::ui
