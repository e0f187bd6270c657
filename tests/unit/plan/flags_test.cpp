// Every pair of options is in the table of exclusions, or accepted.
#include "base/error.h"
#include "plan/exclusions.h"
#include "plan/planner.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string_view>

namespace domsnap::plan {

namespace {

/// "" = accepted. What this build cannot do yet is no exclusion.
template <class Options>
std::string refusal(const Options& options) {
    try {
        check_flags(options);
    } catch (const Error& error) {
        if (error.code() == ErrorCode::invalid_request) return error.what();
    }
    return {};
}

bool stands(std::string_view verb, std::string_view a, Relation relation, std::string_view b) {
    return std::any_of(exclusions().begin(), exclusions().end(), [&](const Exclusion& e) {
        return e.verb == verb && e.relation == relation && e.a == a && e.b == b;
    });
}

/// True if an option of the two needs a third one.
template <class Options>
bool lacks(std::string_view verb, std::string_view a, std::string_view b,
           const std::vector<OptionName<Options>>& names) {
    return std::any_of(names.begin(), names.end(), [&](const auto& needed) {
        if (needed.name == a || needed.name == b) return false;
        return stands(verb, a, Relation::needs, needed.name) || stands(verb, b, Relation::needs, needed.name);
    });
}

template <class Options>
void expect_pairs_as_in_the_table(const char* verb, const std::vector<OptionName<Options>>& names) {
    for (const auto& a : names)
        for (const auto& b : names) {
            if (&a == &b) continue;
            Options options;
            options.*a.member = options.*b.member = true;
            const bool excluded = stands(verb, a.name, Relation::excludes, b.name) ||
                                  stands(verb, b.name, Relation::excludes, a.name);
            const auto said = refusal(options);
            EXPECT_EQ(!said.empty(), excluded || lacks(verb, a.name, b.name, names))
                << a.name << " " << b.name << ": " << said;
            if (excluded) {
                EXPECT_THAT(said, testing::AnyOf(testing::HasSubstr(a.flag), testing::HasSubstr(a.name)));
                EXPECT_THAT(said, testing::HasSubstr("are mutually exclusive"));
            }
        }
}

} // namespace

TEST(Flags, OfCreateByPairs) { expect_pairs_as_in_the_table("snapshot-create", create_option_names()); }
TEST(Flags, OfRevertByPairs) { expect_pairs_as_in_the_table("snapshot-revert", revert_option_names()); }
TEST(Flags, OfDeleteByPairs) { expect_pairs_as_in_the_table("snapshot-delete", delete_option_names()); }

TEST(Flags, LibvirtsWords) {
    EXPECT_EQ(refusal(CreateOptions{.redefine = true, .no_metadata = true}),
              "Flags 'VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE' and 'VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA' are "
              "mutually exclusive");
    EXPECT_EQ(
        refusal(CreateOptions{.redefine = true, .live = true}),
        "Flags 'VIR_DOMAIN_SNAPSHOT_CREATE_LIVE' and 'VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE' are mutually "
        "exclusive");
    EXPECT_EQ(refusal(CreateOptions{.current = true}),
              "Flag 'VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE' is required by flag "
              "'VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT'");
    EXPECT_EQ(refusal(CreateOptions{.redefine = true, .dry_run = true}),
              "Options --redefine and --dry-run are mutually exclusive");
    RevertOptions both;
    both.running = both.paused = true;
    EXPECT_EQ(
        refusal(both),
        "Flags 'VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING' and 'VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED' are mutually "
        "exclusive");
    EXPECT_EQ(
        refusal(DeleteOptions{.children = true, .children_only = true}),
        "Flags 'VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN' and 'VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY' are "
        "mutually exclusive");
}

TEST(Flags, EveryOptionIsInTheListThatIsTested) {
    // Each member is a bool of its own; wait is the one that is on by default.
    EXPECT_EQ(create_option_names().size(), sizeof(CreateOptions) - 1);
    EXPECT_EQ(delete_option_names().size(), sizeof(DeleteOptions));
}

} // namespace domsnap::plan
