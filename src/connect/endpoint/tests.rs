//! What connection strings say, and what is said of wrong ones.

use super::{Defaults, Endpoint, EndpointError, Token};

fn parse(text: &str) -> Result<Endpoint, EndpointError> {
    Endpoint::parse(text, &Defaults::default())
}

#[test]
fn addresses() {
    let table = [
        ("sc://localhost", "sc://localhost:15002"),
        ("sc://Spark.Example.COM:443/", "sc://spark.example.com:443"),
        ("sc://10.0.0.1:1/;", "sc://10.0.0.1:1"),
        ("sc://[::1]:7077", "sc://[::1]:7077"),
        ("sc://[::1]", "sc://[::1]:15002"),
        ("sc://h/;user_id=a;", "sc://h:15002"),
    ];
    for (text, address) in table {
        assert_eq!(parse(text).unwrap().to_string(), address, "{text}");
    }
}

#[test]
fn mistakes_say_what_to_write() {
    let table = [
        ("localhost:15002", "begins with `sc://`"),
        ("SC://h", "begins with `sc://`"),
        ("sc://", "names no host"),
        ("sc://:15002", "names no host"),
        ("sc://h:0", "`0` is not a port"),
        ("sc://h:70000", "`70000` is not a port"),
        ("sc://h:+1", "`+1` is not a port"),
        ("sc://h:", "`` is not a port"),
        ("sc://::1:15002", "in brackets"),
        ("sc://[10.0.0.1]", "in brackets"),
        ("sc://[::1]x", "in brackets"),
        ("sc://h;use_ssl=true", "parameters go after `/;`"),
        ("sc://u@h", "write `/;user_id=NAME`"),
        ("sc://h/path", "has a path"),
        ("sc://h/;token=a?b", "write it as `%3F`"),
        ("sc://h/;token=a#b", "write it as `%23`"),
        ("sc://h/;token=a=b", "`token` is not `key=value`"),
        ("sc://h/;flag", "`flag` is not `key=value`"),
        ("sc://h:1;use_ssl=true", "parameters go after `/;`"),
        ("sc://h/;a=%zz", "`a` is not percent-encoded"),
        ("sc://h/;a=%f", "`a` is not percent-encoded"),
        ("sc://h/;a=%ff", "`a` is not percent-encoded"),
        ("sc://h/;token=", "`token` is empty"),
        ("sc://h/;session_id=7", "`session_id` is not a UUID"),
        ("sc://h/;session_id=0123456789abcdef0123456789abcdef", "`session_id` is not a UUID"),
        ("sc://h/;grpc_keepalive_time_ms=soon", "`grpc_keepalive_time_ms` is not a duration"),
        ("sc://h/;grpc_max_message_size=0", "`grpc_max_message_size` is not a size"),
        ("sc://h/;grpc-timeout=1S", "a header of gRPC itself"),
        ("sc://h/;a b=c", "neither a parameter nor a header name"),
        ("sc://h/;x-key=%0A", "not what a header may hold"),
        ("sc://h/;authorization=Bearer%20x", "`authorization` would go to another machine in the clear"),
        (
            "sc://h/;Authorization=Bearer%20x",
            "write `use_ssl=true`, or let it by name: `--allow-plaintext h`",
        ),
        ("sc://h/;use_ssl=false;authorization=Bearer%20x", "--allow-plaintext h"),
        ("sc://h/;proxy-authorization=Basic%20x", "`proxy-authorization` would go"),
        ("sc://h/;use_ssl=yes", "`use_ssl` is neither true nor false; write `true` or `false`"),
        ("sc://h/;use_ssl=1", "write `true` or `false`"),
        ("sc://h/;use_ssl=", "write `true` or `false`"),
        ("sc://h/;use_ssl=true;use_ssl=on", "write `true` or `false`"),
        ("sc://h/;grpc_keepalive_enabled=on", "`grpc_keepalive_enabled` is neither"),
        ("sc://h/;grpc_keepalive_without_calls=0", "`grpc_keepalive_without_calls` is neither"),
    ];
    for (text, message) in table {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
}

#[test]
fn a_token_turns_tls_on_but_on_this_machine() {
    let table = [
        ("sc://h", false),
        ("sc://h/;use_ssl=TRUE", true),
        ("sc://h/;use_ssl=false", false),
        ("sc://h/;use_ssl=true;use_ssl=false", false),
        ("sc://h/;token=t", true),
        ("sc://h/;use_ssl=false;token=t", true),
        ("sc://localhost/;token=t", false),
        ("sc://localhost/;token=t;use_ssl=true", true),
        ("sc://127.0.0.1/;token=t", true),
        ("sc://127.0.0.1/;token=t;use_ssl=false", false),
        ("sc://[::1]/;token=t;use_ssl=false", false),
    ];
    for (text, tls) in table {
        assert_eq!(parse(text).unwrap().tls(), tls, "{text}");
    }
    let defaults = Defaults { token: Token::new("t"), ..Defaults::default() };
    assert!(Endpoint::parse("sc://h", &defaults).unwrap().tls());
    assert!(!Endpoint::loopback(1, Token::new("t")).tls());
}

#[test]
fn a_token_goes_in_the_clear_to_the_host_that_is_named_alone() {
    let table = [
        ("sc://h/;token=t", "h", false),
        ("sc://h/;token=t", "H", false),
        ("sc://h/;token=t;use_ssl=false", "h", false),
        ("sc://h/;token=t;use_ssl=true", "h", true),
        ("sc://h/;token=t", "hh", true),
        ("sc://h.example.com/;token=t", "example.com", true),
        ("sc://h/;token=t", "h:15002", true),
        ("sc://h/;token=t", "", true),
        ("sc://[fd00::1]/;token=t", "fd00::1", false),
        ("sc://[fd00::1]/;token=t", "[FD00::1]", false),
        ("sc://h/;authorization=Bearer%20t", "h", false),
    ];
    for (text, allowed, tls) in table {
        let defaults = Defaults { plaintext: Some(allowed.to_owned()), ..Defaults::default() };
        assert_eq!(Endpoint::parse(text, &defaults).unwrap().tls(), tls, "{text} {allowed}");
    }
    let defaults = Defaults { plaintext: Some("other".to_owned()), ..Defaults::default() };
    assert!(Endpoint::parse("sc://h/;authorization=x", &defaults).is_err());
}

#[test]
fn what_the_string_itself_gives_away() {
    let table = [
        ("sc://h/;token=t", true),
        ("sc://h/;use_ssl=true;authorization=Bearer%20t", true),
        ("sc://h/;use_ssl=true;x-org=t", false),
    ];
    let defaults = Defaults { token: Token::new("t"), ..Defaults::default() };
    for (text, is_there) in table {
        let endpoint = Endpoint::parse(text, &defaults).unwrap();
        assert_eq!(endpoint.token_is_in_string(), is_there, "{text}");
    }
}

#[test]
fn without_tls_there_are_other_ways() {
    let table = [
        ("sc://h/;use_ssl=true", "or write `use_ssl=false`"),
        ("sc://h/;token=t", "`--allow-plaintext h`"),
        ("sc://h/;use_ssl=true;token=t", "leave `use_ssl=true` out"),
        ("sc://127.0.0.1/;token=t", "write `use_ssl=false`, for a token turns TLS on"),
        ("sc://127.0.0.1/;token=t;use_ssl=true", "or write `use_ssl=false`"),
    ];
    for (text, hint) in table {
        let said = parse(text).unwrap().without_tls();
        assert!(said.contains(hint), "{text}: {said}");
    }
}

#[test]
fn parameters_beat_defaults_and_the_last_one_wins() {
    let defaults = Defaults {
        user: Some("me".into()),
        token: Token::new("mine"),
        user_agent: Some("job".into()),
        plaintext: None,
    };
    let endpoint = Endpoint::parse("sc://h", &defaults).unwrap();
    assert_eq!((endpoint.user_id(), endpoint.user_agent()), (Some("me"), Some("job")));
    let text = "sc://h/;user_id=a;user_id=b%20c+d;user_agent=x;token=t%3D;X-Org=1;x-org=2";
    let endpoint = Endpoint::parse(text, &defaults).unwrap();
    assert_eq!((endpoint.user_id(), endpoint.user_agent()), (Some("b c+d"), Some("x")));
    assert_eq!(endpoint.token(), Token::new("t=").as_ref());
    let headers: Vec<_> = endpoint
        .headers()
        .iter()
        .map(|header| (header.name.as_str(), header.value.to_str().unwrap()))
        .collect();
    assert_eq!(headers, [("x-org", "2")]);
}

#[test]
fn pings_are_off_until_asked_for() {
    assert!(parse("sc://h/;grpc_keepalive_time_ms=1000").unwrap().keepalive().is_none());
    let text =
        "sc://h/;grpc_keepalive_enabled=true;grpc_keepalive_time_ms=1000;grpc_keepalive_without_calls=false";
    let keepalive = parse(text).unwrap().keepalive().unwrap();
    assert_eq!(
        (keepalive.interval.as_secs(), keepalive.timeout.as_secs(), keepalive.while_idle),
        (1, 20, false)
    );
}

#[test]
fn nothing_shows_a_secret() {
    let endpoint = parse("sc://h/;token=hush;x-key=hush").unwrap();
    assert!(!format!("{endpoint:?} {endpoint} {}", Token::new("hush").unwrap()).contains("hush"));
    for text in [
        "sc://h;token=hush",
        "sc://h:1;token=hush",
        "sc://[::1];token=hush",
        "sc://hush@h",
        "sc://h/token=hush",
        "sc://h/;token:hush",
        "sc://h/;token%3Dhush",
        "sc://h/;token=hush=",
        "sc://h/;token=hush%zz",
        "sc://h/;token=hush%0A",
        "sc://h/;authorization=hush",
        "sc://h/;x-key=hush%0A",
        "sc://h/;session_id=hush",
        "sc://h/?token=hush",
    ] {
        let error = parse(text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hush"), "{text}: {error}");
    }
}
