/// The policy, as `PolicyTableTests` reads it. The owner's key is for reading and one base, the owner's token for schemas and
/// searches; the guest was given the table of elements to read; the stranger owns another tenant.
enum PolicyTables {
    static let catalogue = """
                           owner  editor  viewer  guest  stranger  key  token
        list_bases         yes    yes     yes     yes    yes       yes  yes
        list_tables        yes    yes     yes     yes    yes       yes  yes
        describe_table     yes    yes     yes     yes    yes       yes  yes
        list_records       yes    yes     yes     yes    yes       yes  no
        get_record         yes    yes     yes     yes    yes       yes  no
        aggregate_records  yes    yes     yes     yes    yes       yes  no
        list_changes       yes    yes     yes     yes    yes       yes  no
        search_records     yes    yes     yes     yes    yes       no   yes
        find_similar       yes    yes     yes     yes    yes       no   yes
        ask                yes    yes     yes     yes    yes       no   yes
        list_comments      yes    yes     yes     yes    yes       no   no
        create_comment     yes    yes     no      no     yes       no   no
        create_records     yes    yes     no      no     yes       no   no
        update_records     yes    yes     no      no     yes       no   no
        upsert_records     yes    yes     no      no     yes       no   no
        delete_records     yes    yes     no      no     yes       no   no
        import_data        yes    yes     no      no     yes       no   no
        upload_attachment  yes    yes     no      no     yes       no   no
        revert             yes    yes     no      no     yes       no   no
        create_base        yes    no      no      no     yes       no   no
        create_table       yes    no      no      no     yes       no   no
        update_table       yes    no      no      no     yes       no   no
        create_field       yes    no      no      no     yes       no   no
        update_field       yes    no      no      no     yes       no   no
        explore_base       yes    yes     yes     yes    yes       yes  yes
        draft_formula      yes    yes     yes     yes    yes       yes  yes
        clean_up_table     yes    yes     yes     yes    yes       yes  no
        base_schema        yes    yes     yes     yes    yes       yes  yes
        table_schema       yes    yes     yes     yes    yes       yes  yes
        record             yes    yes     yes     yes    yes       yes  no
        view               yes    yes     yes     yes    yes       yes  no
        """

    static let reading = """
                                            owner  editor   viewer   guest    stranger  key      token
        list_bases                          b      -        -        -        -         -        b
        list_tables                         ft     t        ft       f        missing   ft       ft
        list_tables of the base             b      missing  missing  missing  missing   missing  b
        list_tables of nearly the base      ?b     missing  missing  missing  missing   missing  ?b
        describe_table                      ft     t        ft       f        missing   ft       ft
        describe_table for a question       ft     t        ft       f        missing   ft       ft
        describe the table                  t      t        t        missing  missing   t        t
        describe nearly the table           ?t     ?t       ?t       missing  missing   ?t       ?t
        list_changes                        frt    rt       ft       fr       missing   frt      scope
        list_changes of the record          r      r        missing  r        missing   r        scope
        list_changes of the table           t      t        t        missing  missing   t        scope
        list_comments                       -      -        -        -        missing   denied   scope
        list_comments of the record         r      r        missing  r        missing   denied   scope
        list_records                        frt    rt       ft       fr       missing   frt      scope
        list_records of the table           t      t        t        missing  missing   t        scope
        list_records with the field         fr     missing  f        fr       missing   fr       scope
        list_records with nearly the field  ?f     missing  ?f       ?f       missing   ?f       scope
        list_records by the field           frt    missing  ft       fr       missing   frt      scope
        list_records where the field        ft     missing  ft       f        missing   ft       scope
        list_records by its formula         ft     missing  ft       f        missing   ft       scope
        list_records by nearly its formula  ?f     missing  ?f       ?f       missing   ?f       scope
        list_records of the view            ft     missing  ft       f        missing   ft       scope
        list_records of nearly the view     ?f     missing  ?f       ?f       missing   ?f       scope
        get_record                          ft     t        ft       f        missing   ft       scope
        get the record                      r      r        missing  r        missing   r        scope
        get_record with the field           f      missing  f        f        missing   f        scope
        aggregate by name                   r      r        -        r        missing   r        scope
        aggregate by the field              f      missing  f        f        missing   f        scope
        aggregate the field                 f      missing  f        f        missing   f        scope
        aggregate where the field           f      missing  f        f        missing   f        scope
        search                              frtb   rt       ft       fr       -         denied   frtb
        search its words                    ft     -        ft       f        -         denied   ft
        search the record's words           r      r        -        r        -         denied   r
        search the table                    t      t        t        missing  missing   denied   t
        search the base                     b      missing  missing  missing  missing   denied   b
        search in the field                 ft     missing  ft       f        missing   denied   ft
        search by its formula               ft     missing  ft       f        missing   denied   ft
        find_similar                        rtb    rt       -        r        missing   denied   rtb
        find similar to the record          ftb    t        missing  f        missing   denied   ftb
        ask                                 r      r        -        r        -         denied   r
        """

    static let writing = """
                                     owner       editor      viewer  guest   stranger  key     token
        create a record              done        done        denied  denied  missing   denied  scope
        create one with the field    proposed    missing     denied  denied  missing   denied  scope
        fill a cell                  done        done        denied  denied  missing   denied  scope
        fill the field's cell        done        missing     denied  denied  missing   denied  scope
        fill nearly the field's      ?f          missing     denied  denied  missing   denied  scope
        fill a cell of the record    r proposed  r proposed  denied  denied  missing   denied  scope
        overwrite a cell             asks        asks        denied  denied  missing   denied  scope
        merge on the field           proposed    missing     denied  denied  missing   denied  scope
        merge on nearly the field    ?f          missing     denied  denied  missing   denied  scope
        merge with the record        r proposed  r proposed  denied  denied  missing   denied  scope
        delete a record              asks        asks        denied  denied  missing   denied  scope
        delete the record            asks        asks        denied  denied  missing   denied  scope
        comment                      done        done        denied  denied  missing   denied  scope
        comment on the record        proposed    proposed    denied  denied  missing   denied  scope
        attach a file                done        done        denied  denied  missing   denied  scope
        import rows                  done        denied      denied  denied  missing   denied  scope
        import the field             proposed    missing     denied  denied  missing   denied  scope
        make a base                  done        denied      denied  denied  done      denied  scope
        make a table                 done        denied      denied  denied  missing   denied  scope
        make a field                 done        denied      denied  denied  missing   denied  scope
        make a formula of the field  proposed    denied      denied  denied  missing   denied  scope
        rename the field             asks        denied      denied  denied  missing   denied  scope
        rename the table             asks        denied      denied  denied  missing   denied  scope
        take back what is shown      asks        asks        denied  denied  missing   denied  scope
        take back the field's        asks        missing     denied  denied  missing   denied  scope
        take back the record's       asks        asks        denied  denied  missing   denied  scope
        """

    static let offers = """
                                    owner  editor   viewer   guest    stranger  key      token
        list resources              ftb    t        ft       f        -         ft       tb
        read the schema of a base   ft     t        ft       f        missing   ft       ft
        read the base's             b      missing  missing  missing  missing   missing  b
        read the schema of a table  ft     t        ft       f        missing   ft       ft
        read the table's            t      t        t        missing  missing   t        t
        read a record               ft     t        ft       f        missing   ft       scope
        read the record             r      r        missing  r        missing   r        scope
        read a view                 frt    rt       ft       fr       missing   frt      scope
        read the view               ft     missing  ft       f        missing   ft       scope
        explore a base              ft     t        ft       f        missing   ft       ft
        explore the base            b      missing  missing  missing  missing   missing  b
        explore nearly the base     ?b     missing  missing  missing  missing   missing  ?b
        clean up a table            ft     t        ft       f        missing   ft       unoffered
        clean up the table          t      t        t        missing  missing   t        unoffered
        clean up by the field       ft     t        ft       f        missing   ft       unoffered
        draft a formula             ft     t        ft       f        missing   ft       ft
        complete bases              b      -        -        -        -         -        b
        complete tables             tb     t        t        -        -         t        tb
        complete tables of a base   t      t        t        -        -         t        t
        complete views              f      -        f        f        -         f        unoffered
        complete records            r      r        -        r        -         r        unoffered
        complete a prompt's base    b      -        -        -        -         -        b
        complete a prompt's table   t      t        t        -        -         t        unoffered
        complete a prompt's field   ft     t        ft       f        -         ft       unoffered
        """
}
