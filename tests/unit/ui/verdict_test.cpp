#include "ui/verdict.h"

#include <gtest/gtest.h>

namespace domsnap::ui {

static VerifyResult result() {
    return {{{"a", {}, {}}, {"two\nlines", {"/vm/x is not there"}, {"/vm/y is in use"}}, {"", {}, {}}},
            {"z was removed"}};
}

TEST(Verdict, is_a_line_for_each_snapshot_and_what_is_wrong_below) {
    EXPECT_EQ(verify_text("g", result()), "a: good\n"
                                          "two\\x0alines: not good\n"
                                          "    /vm/x is not there\n"
                                          "    (note: /vm/y is in use)\n"
                                          "(domain g): good\n"
                                          "Repaired: z was removed\n");
}

TEST(Verdict, as_json_keeps_the_domains_own_apart) {
    const auto text = verify_json("g", result());
    EXPECT_NE(text.find("\"name\": \"a\""), std::string::npos);
    EXPECT_NE(text.find("\"own\": {"), std::string::npos);
    EXPECT_FALSE(result().good());
    EXPECT_EQ(verify_json("g", {}).find("\"own\""), std::string::npos);
    EXPECT_TRUE(VerifyResult{}.good());
}

} // namespace domsnap::ui
