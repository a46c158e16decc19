"""Rows come, change, wait and go while the page is open."""


def test_what_is_kept_is_there_when_the_page_opens_newest_first(page, inspector):
    inspector.send("GET", "/api/one")
    inspector.send("POST", "/api/two", '{"a": 1}')
    page.open(inspector)
    page.wait_for_rows(2)
    assert page.paths() == ["/api/two", "/api/one"]
    assert [row["status"] for row in page.rows()] == ["200", "200"]
    assert [row["method"] for row in page.rows()] == ["POST", "GET"]


def test_a_new_exchange_appears_by_itself(page, inspector):
    page.open(inspector)
    page.wait(lambda: "Waiting for the first request" in page.text(".tail"))
    inspector.send("GET", "/api/fresh")
    page.wait_for_path("/api/fresh")
    inspector.send("GET", "/status/503")
    assert page.wait_for_path("/status/503")["failed"]


def test_the_command_of_the_first_start_names_the_address_that_answers(page, inspector):
    page.open(inspector)
    page.wait(lambda: page.text(".tail code") == f"curl -i http://127.0.0.1:{inspector.port}/")


def test_an_exchange_in_flight_is_shown_and_becomes_its_answer(page, fake):
    running = fake.begin("GET", "/api/slow")
    page.open(fake)
    assert page.wait_for_path("/api/slow")["status"] == "···"
    first = page.rows()[0]["duration"]
    page.wait(lambda: page.rows()[0]["duration"] != first)
    fake.finish(running, 504, 2500.0, state="timed_out")
    page.wait(lambda: page.rows()[0]["status"] == "504")
    assert page.rows()[0]["duration"] == "2.50 s"
    assert page.rows()[0]["failed"]


def test_one_that_ended_far_below_the_newest_is_found_again(page, fake):
    running = fake.begin("GET", "/api/slow")
    for i in range(1500):
        fake.add(path=f"/api/{i}")
    fake.capacity = 5000
    running = fake.begin("GET", "/api/slower")
    page.open(fake, "#traffic?path=/api/slow")
    page.wait(lambda: page.paths() and page.rows()[0]["status"] == "···")
    fake.finish(running, 201)
    page.wait(lambda: page.rows()[0]["status"] == "201")


def test_one_in_flight_that_is_no_longer_kept_leaves_the_list(page, fake):
    fake.add(path="/api/stays")
    fake.begin("GET", "/api/lost")
    page.open(fake)
    page.wait_for_path("/api/lost")
    with fake.lock:
        fake.records.pop()
        fake.evicted += 1
    page.wait(lambda: page.paths() == ["/api/stays"])


def test_polls_come_with_their_button_only(page, fake):
    fake.add(path="/api/exchange")
    for _ in range(3):
        fake.add_poll()
    page.open(fake)
    page.wait_for_path("/api/exchange")
    page.wait(lambda: page.text(".show-polls .badge") == "3")
    assert page.paths() == ["/api/exchange"]
    page.click(".show-polls")
    page.wait_for_rows(4)
    assert page.rows()[0]["chips"] == ["poll"]
    assert page.text(".count") == "1 exchange, 3 polls"
    page.click(f"#row-{page.rows()[0]['seq']} .cell-path")
    page.wait(lambda: "only the row is kept" in page.text(".detail-body"))


def test_where_only_polls_came_the_page_says_so(page, fake):
    fake.add_poll()
    page.open(fake)
    page.wait(lambda: "Only polls so far" in page.text(".tail"))
    page.click_word("Show polls", ".tail")
    page.wait_for_rows(1)


def test_the_list_stands_still_while_it_is_scrolled_and_new_rows_wait(page, fake):
    for i in range(200):
        fake.add(path=f"/api/{i}")
    page.open(fake)
    page.wait_for_path("/api/199")
    page.scroll_to(1000)
    page.wait(lambda: "/api/199" not in page.paths())
    before = page.paths()
    fake.add(path="/api/late")
    fake.add(path="/api/later")
    page.wait(lambda: page.text(".fresh") == "↑ 2 new")
    assert page.paths() == before
    page.click(".fresh")
    page.wait(lambda: page.paths()[0] == "/api/later")
    page.wait(lambda: not page.shown(".fresh"))


def test_the_list_stands_still_while_an_exchange_is_chosen(page, fake):
    chosen = fake.add(path="/api/chosen")
    page.open(fake)
    page.wait_for_path("/api/chosen")
    page.open_row(chosen["seq"])
    fake.add(path="/api/late")
    page.wait(lambda: page.text(".fresh") == "↑ 1 new")
    assert page.paths() == ["/api/chosen"]
    page.click_word("", ".detail-line")
    page.wait(lambda: page.paths() == ["/api/late", "/api/chosen"])


def test_more_than_one_answer_holds_is_read_in_several(page, fake):
    fake.capacity = 3000
    fake.add(path="/api/first")
    page.open(fake)
    page.wait_for_rows(1)
    for i in range(2300):
        fake.add(path=f"/api/{i}")
    page.wait(lambda: page.text(".count") == "2,301 exchanges")


def test_a_clear_by_somebody_else_is_seen(page, fake):
    for i in range(5):
        fake.add(path=f"/api/{i}")
    page.open(fake)
    page.wait_for_rows(5)
    fake.clear()
    page.wait(lambda: "Waiting for the next request" in page.text(".tail"))
    assert page.rows() == []


def test_without_a_connection_the_rows_stay_and_what_came_meanwhile_is_fetched(page, fake):
    page.expects_refusals = True
    fake.add(path="/api/before")
    page.open(fake)
    page.wait_for_path("/api/before")
    fake.stop()
    page.wait(lambda: page.text(".banner-text").startswith("No connection since "))
    assert page.text("#live-word") == "Offline"
    assert page.paths() == ["/api/before"]
    fake.add(path="/api/meanwhile")
    fake.start()
    page.click_word("Try now")
    page.wait(lambda: page.paths() == ["/api/meanwhile", "/api/before"])
    assert not page.shown(".banner")
    assert page.text("#live-word") == "Live"


def test_after_a_restart_of_the_program_its_records_take_the_place_of_the_old(page, fake):
    page.expects_refusals = True
    for i in range(30):
        fake.add(path=f"/api/old/{i}")
    page.open(fake)
    page.wait_for_rows(30)
    fake.stop()
    page.wait(lambda: page.shown(".banner"))
    fake.forget()
    fake.add(path="/api/new", request_id="another")
    fake.start()
    page.wait(lambda: page.paths() == ["/api/new"])


def test_a_page_that_is_refused_says_why(page, fake):
    page.expects_refusals = True
    fake.refuse = (401, "a token is needed")
    page.open(fake)
    page.wait(lambda: "asks for its token" in page.text(".banner-text"))
    fake.refuse = None
    fake.add(path="/api/things")
    page.wait_for_path("/api/things")


def test_a_first_answer_that_is_slow_shows_grey_bars_meanwhile(page, fake):
    fake.add(path="/api/things")
    fake.delay = 2
    page.open(fake)
    page.wait(lambda: page.shown(".skeleton-row"))
    fake.delay = 0
    page.wait_for_path("/api/things")
    assert not page.shown(".skeleton-row")


def test_at_the_end_of_the_list_stands_how_many_were_evicted(page, start_fake):
    fake = start_fake(capacity=20)
    for i in range(25):
        fake.add(path=f"/api/{i}")
    page.open(fake)
    page.wait_for_rows(20)
    page.wait(lambda: page.text(".end-note").startswith("5 older exchanges were evicted: the ring keeps 20"))
    assert page.text("#foot").count("5 evicted") == 1


def test_any_prefix_will_do(page, start_fake):
    fake = start_fake(prefix="/tools/look")
    fake.add(path="/api/things")
    page.open(fake)
    page.wait_for_path("/api/things")
    page.wait(lambda: {line.split("?")[0] for line in fake.requests} ==
              {f"GET /tools/look/api/{row}" for row in ("requests", "upstreams", "routes", "events")})
