"""Clear: at once in the page, after five seconds at the server, and Undo between."""


def test_clear_empties_the_page_and_then_the_server(page, inspector):
    inspector.send("GET", "/api/one")
    inspector.send("GET", "/api/two")
    page.open(inspector)
    page.wait_for_rows(2)
    page.click_word("Clear")
    page.wait(lambda: page.rows() == [])
    assert page.text("#toast").startswith("Cleared 2 exchanges.")
    page.wait(lambda: "Waiting for the next request" in page.text(".tail"))
    inspector.send("GET", "/api/three")
    page.wait(lambda: not page.shown("#toast"))
    kept = page.driver.execute_async_script("""const done = arguments[arguments.length - 1];
        fetch('api/requests').then((answer) => answer.json()).then((list) => done(list.count));""")
    assert kept == 0
    page.wait(lambda: page.rows() == [])


def test_undo_brings_all_back_and_nothing_is_deleted(page, fake):
    for i in range(3):
        fake.add(path=f"/api/{i}")
    fake.add_poll()
    page.open(fake)
    page.wait_for_rows(3)
    page.click_word("Clear")
    page.wait(lambda: page.rows() == [])
    assert page.text("#toast").startswith("Cleared 3 exchanges and 1 poll.")
    fake.add(path="/api/meanwhile")
    page.wait_for_path("/api/meanwhile")
    page.click_word("Undo")
    page.wait(lambda: page.paths() == ["/api/meanwhile", "/api/2", "/api/1", "/api/0"])
    assert page.text("#toast") == "Nothing was cleared."
    page.wait(lambda: not page.shown("#toast"))
    assert not [line for line in fake.requests if line.startswith("DELETE")]
    assert len(fake.records) == 4


def test_a_second_clear_takes_what_came_meanwhile_along(page, fake):
    fake.add(path="/api/one")
    page.open(fake)
    page.wait_for_rows(1)
    page.click_word("Clear")
    page.wait(lambda: page.rows() == [])
    fake.add(path="/api/two")
    page.wait_for_rows(1)
    page.click_word("Clear")
    page.wait(lambda: page.rows() == [])
    page.click_word("Undo")
    page.wait(lambda: page.paths() == ["/api/two", "/api/one"])
    assert len(fake.records) == 2


def test_where_the_server_refuses_the_rows_come_back_with_the_reason(page, fake):
    page.expects_refusals = True
    fake.add(path="/api/one")
    page.open(fake)
    page.wait_for_rows(1)
    page.click_word("Clear")
    page.wait(lambda: page.rows() == [])
    fake.refuse = (403, "a change needs a same-origin Origin")
    page.wait(lambda: "Nothing was cleared: a change needs a same-origin Origin" in page.text("#toast"))
    fake.refuse = None
    page.wait(lambda: page.paths() == ["/api/one"])


def test_with_nothing_to_clear_the_button_is_off(page, fake):
    page.open(fake)
    page.wait(lambda: page.find(".clear").get_property("disabled"))
    fake.add()
    page.wait(lambda: not page.find(".clear").get_property("disabled"))
